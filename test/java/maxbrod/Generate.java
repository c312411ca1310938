package maxbrod;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/**
 * Many records from a seed. Both commands answer per partition {partition, records, content}: how many records a
 * read_committed reader must find there, and the digest of their contents (Canon without offsets), in order.
 *
 * `generate {topic, partitions, records, …}` writes with one idempotent producer, so that the log has the order of the
 * generator.
 *
 * `generateTransactions {topic, partitions, transactions, …}` lets `producers` (default 3) transactional producers write
 * bursts in turn, each committing or aborting (`abortPercent`, default 30) its transactions at other moments, so that
 * they overlap in the log. Each burst is flushed before the next producer's turn: the order of the log is known here,
 * and so is what must be read, without asking any reader.
 *
 * Shape of the records, for both: seed (default 1), codec, batchBytes, keyBytes [min, max] (default [8, 8]), keys (how
 * many different ones; default as many as records), nullKeyPercent, valueBytes [min, max] (default [100, 100]),
 * tombstonePercent, headers [min, max] (default [0, 0]), timestampFrom (default now), timestampStep (default 1),
 * timestampJitter ms (default 0: with it, timestamps go back now and then) and isEven (partitions get records in turn, and
 * so as many each; default by chance).
 */
final class Generate {
  private static final String[] words = "ballad of the castle trial amerika letter burrow judge gate law door servant".split(" ");

  private final Map<String, Object> settings;

  Generate(Map<String, Object> settings) {
    this.settings = settings;
  }

  void addTo(Map<String, Referee.Command> commands) {
    commands.put("generate", this::generate);
    commands.put("generateTransactions", this::generateTransactions);
  }

  private Object generate(JsonNode arguments) throws Exception {
    Maker maker = new Maker(arguments, arguments.get("records").asLong());
    AtomicReference<Exception> failure = new AtomicReference<>();
    try (var producer = Produce.producer(settings, arguments, Map.of("linger.ms", 20))) {
      for (long i = 0; i < maker.records && failure.get() == null; i++) {
        ProducerRecord<byte[], byte[]> record = maker.next();
        maker.count(record);
        producer.send(record, (place, error) -> {
          if (error != null) failure.compareAndSet(null, error);
        });
      }
      producer.flush();
    }
    if (failure.get() != null) throw failure.get();
    return maker.answer();
  }

  private Object generateTransactions(JsonNode arguments) throws Exception {
    int transactions = arguments.get("transactions").asInt();
    int producerCount = arguments.path("producers").asInt(3);
    int abortPercent = arguments.path("abortPercent").asInt(30);
    String prefix = arguments.path("transactionalId").asText(arguments.get("topic").asText());
    Maker maker = new Maker(arguments, transactions * 20L);
    List<Actor> actors = new ArrayList<>();
    // Everything written, in the order of the log, with the transaction whose end decides on it.
    List<Written> written = new ArrayList<>();
    try {
      for (int i = 0; i < producerCount; i++) actors.add(new Actor(settings, arguments, prefix + "-" + i));
      int begun = 0;
      while (begun < transactions || actors.stream().anyMatch(actor -> actor.open != null)) {
        Actor actor = actors.get(maker.random.nextInt(actors.size()));
        if (actor.open == null) {
          if (begun++ < transactions) actor.begin();
        } else if (actor.open.bursts > 0 && maker.random.nextInt(3) == 0) {
          actor.end(maker.random.nextInt(100) >= abortPercent);
        } else {
          actor.burst(maker, written);
        }
      }
    } finally {
      for (Actor actor : actors) actor.producer.close();
    }
    for (Written one : written) if (one.transaction.isCommitted) maker.count(one.record);
    return maker.answer();
  }

  private record Written(ProducerRecord<byte[], byte[]> record, Transaction transaction) {}

  private static final class Transaction {
    int bursts;
    boolean isCommitted;
  }

  private static final class Actor {
    final KafkaProducer<byte[], byte[]> producer;
    Transaction open;

    Actor(Map<String, Object> settings, JsonNode arguments, String transactionalId) {
      producer = Produce.producer(settings, arguments, Map.of("transactional.id", transactionalId));
      producer.initTransactions();
    }

    void begin() {
      producer.beginTransaction();
      open = new Transaction();
    }

    void burst(Maker maker, List<Written> written) {
      for (int left = 1 + maker.random.nextInt(12); left > 0; left--) {
        ProducerRecord<byte[], byte[]> record = maker.next();
        producer.send(record);
        written.add(new Written(record, open));
      }
      // Failures come out of the commit.
      producer.flush();
      open.bursts++;
    }

    void end(boolean commits) {
      if (commits) producer.commitTransaction();
      else producer.abortTransaction();
      open.isCommitted = commits;
      open = null;
    }
  }

  /** Makes the records, and counts those that must be read. */
  private static final class Maker {
    final SplittableRandom random;
    final long records;
    private final JsonNode arguments;
    private final String topic;
    private final Canon[] contents;
    private final long[] counts;
    private final byte[] text = new byte[1 << 20];
    private final long keys;
    private final long timestampFrom;
    private final long timestampStep;
    private final long timestampJitter;
    private final boolean isEven;
    private long made;

    Maker(JsonNode arguments, long records) {
      this.arguments = arguments;
      this.records = records;
      random = new SplittableRandom(arguments.path("seed").asLong(1));
      topic = arguments.get("topic").asText();
      int partitions = arguments.get("partitions").asInt();
      contents = new Canon[partitions];
      for (int p = 0; p < partitions; p++) contents[p] = new Canon();
      counts = new long[partitions];
      keys = arguments.path("keys").asLong(Math.max(1, records));
      timestampFrom = arguments.path("timestampFrom").asLong(System.currentTimeMillis());
      timestampStep = arguments.path("timestampStep").asLong(1);
      timestampJitter = arguments.path("timestampJitter").asLong(0);
      isEven = arguments.path("isEven").asBoolean(false);
      // Values are cut out of a text of words and digits, which compresses as real records do, to about a third.
      StringBuilder builder = new StringBuilder();
      while (builder.length() < text.length) {
        builder.append(words[random.nextInt(words.length)]).append(' ').append(random.nextInt(10_000)).append(',');
      }
      System.arraycopy(builder.toString().getBytes(StandardCharsets.US_ASCII), 0, text, 0, text.length);
    }

    ProducerRecord<byte[], byte[]> next() {
      int turn = (int) (made % contents.length);
      long timestamp = timestampFrom + made++ * timestampStep;
      if (timestampJitter > 0) timestamp += random.nextLong(-timestampJitter, timestampJitter + 1);
      byte[] key = isHit("nullKeyPercent") ? null : key();
      byte[] value = isHit("tombstonePercent") ? null : slice(between("valueBytes", 100));
      List<Header> headers = new ArrayList<>();
      for (int left = between("headers", 0); left > 0; left--) {
        byte[] headerValue = random.nextInt(10) == 0 ? null : slice(random.nextInt(20));
        headers.add(new RecordHeader(words[random.nextInt(words.length)], headerValue));
      }
      int partition = isEven ? turn : random.nextInt(contents.length);
      return new ProducerRecord<>(topic, partition, Math.max(0, timestamp), key, value, headers);
    }

    void count(ProducerRecord<byte[], byte[]> record) {
      Header[] headers = record.headers().toArray();
      counts[record.partition()]++;
      contents[record.partition()]
          .add(0, record.timestamp(), record.key(), record.value(), headers, headers.length);
    }

    List<Object> answer() {
      List<Object> answer = new ArrayList<>();
      for (int p = 0; p < counts.length; p++) {
        answer.add(Map.of("partition", p, "records", counts[p], "content", contents[p].content()));
      }
      return answer;
    }

    private byte[] key() {
      int length = between("keyBytes", 8);
      byte[] digits = String.format("%0" + Math.max(1, length) + "d", random.nextLong(keys)).getBytes(StandardCharsets.US_ASCII);
      byte[] key = new byte[length];
      System.arraycopy(digits, digits.length - Math.min(digits.length, length), key, 0, Math.min(digits.length, length));
      return key;
    }

    private byte[] slice(int length) {
      byte[] slice = new byte[length];
      for (int at = 0; at < length; ) {
        int from = random.nextInt(text.length);
        int count = Math.min(length - at, Math.min(256, text.length - from));
        System.arraycopy(text, from, slice, at, count);
        at += count;
      }
      return slice;
    }

    private int between(String name, int both) {
      JsonNode range = arguments.path(name);
      if (range.isMissingNode()) return both;
      return range.get(0).asInt() + random.nextInt(range.get(1).asInt() - range.get(0).asInt() + 1);
    }

    private boolean isHit(String name) {
      int percent = arguments.path(name).asInt(0);
      return percent > 0 && random.nextInt(100) < percent;
    }
  }
}
