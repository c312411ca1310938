package maxbrod;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Commands that write: by Kafka's own producer, in one go or with transactions held open, or as raw batches. */
final class Produce implements AutoCloseable {
  private static final int batchBytesDefault = 1024 * 1024;

  private final Map<String, Object> settings;
  private final Map<String, KafkaProducer<byte[], byte[]>> open = new ConcurrentHashMap<>();

  Produce(Map<String, Object> settings) {
    this.settings = settings;
  }

  void addTo(Map<String, Referee.Command> commands) {
    commands.put("produce", this::produce);
    commands.put("append", this::append);
    commands.put("appendRecords", this::appendRecords);
    commands.put("open", this::open);
    commands.put("begin", arguments -> with(arguments, KafkaProducer::beginTransaction));
    commands.put("flush", arguments -> with(arguments, KafkaProducer::flush));
    commands.put("commit", arguments -> with(arguments, KafkaProducer::commitTransaction));
    commands.put("abort", arguments -> with(arguments, KafkaProducer::abortTransaction));
    commands.put("close", arguments -> with(arguments, producer -> {
      open.remove(arguments.get("producer").asText());
      producer.close();
    }));
    commands.put("send", arguments -> send(producerOf(arguments), arguments));
  }

  /** Transactions that are open stay open: without time there is nothing that a producer could send. */
  @Override
  public void close() {
    open.values().forEach(producer -> producer.close(Duration.ZERO));
  }

  private Object produce(JsonNode arguments) throws Exception {
    try (var producer = producer(settings, arguments, Map.of())) {
      return send(producer, arguments);
    }
  }

  private Object open(JsonNode arguments) {
    Map<String, Object> more = new HashMap<>();
    boolean isTransactional = arguments.hasNonNull("transactionalId");
    if (isTransactional) more.put("transactional.id", arguments.get("transactionalId").asText());
    if (arguments.hasNonNull("timeoutMs")) more.put("transaction.timeout.ms", arguments.get("timeoutMs").asInt());
    KafkaProducer<byte[], byte[]> producer = producer(settings, arguments, more);
    if (isTransactional) producer.initTransactions();
    open.put(arguments.get("producer").asText(), producer);
    return Map.of();
  }

  private Object append(JsonNode arguments) throws Exception {
    byte[] batches = Canon.bytesOf(arguments.get("batches"));
    return Map.of("baseOffset", RawProduce.append(settings, Topics.partitionOf(arguments), batches));
  }

  private Object appendRecords(JsonNode arguments) throws Exception {
    List<Wire.Row> rows = new ArrayList<>();
    long offset = 0;
    for (JsonNode record : arguments.get("records")) {
      long timestamp = record.hasNonNull("timestamp") ? record.get("timestamp").asLong() : System.currentTimeMillis();
      Header[] headers = headersOf(record);
      rows.add(new Wire.Row(offset++, timestamp, Canon.bytesOf(record.get("key")), Canon.bytesOf(record.get("value")), headers));
    }
    Compression codec = Compression.of(arguments.path("codec").asText("none")).build();
    byte[] batch = Wire.batch(rows, new Wire.Shape().codec(codec));
    return Map.of("baseOffset", RawProduce.append(settings, Topics.partitionOf(arguments), batch));
  }

  private interface Step {
    void take(KafkaProducer<byte[], byte[]> producer) throws Exception;
  }

  private Object with(JsonNode arguments, Step step) throws Exception {
    step.take(producerOf(arguments));
    return Map.of();
  }

  private KafkaProducer<byte[], byte[]> producerOf(JsonNode arguments) {
    String name = arguments.get("producer").asText();
    KafkaProducer<byte[], byte[]> producer = open.get(name);
    if (producer == null) throw new IllegalArgumentException("no open producer " + name);
    return producer;
  }

  private static Object send(KafkaProducer<byte[], byte[]> producer, JsonNode arguments) throws Exception {
    String topic = arguments.get("topic").asText();
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (JsonNode record : arguments.get("records")) sent.add(producer.send(recordOf(topic, record)));
    producer.flush();
    List<Object> places = new ArrayList<>();
    for (Future<RecordMetadata> one : sent) {
      RecordMetadata place = one.get();
      places.add(Map.of("partition", place.partition(), "offset", Long.toString(place.offset())));
    }
    return places;
  }

  private static ProducerRecord<byte[], byte[]> recordOf(String topic, JsonNode record) {
    Long timestamp = record.hasNonNull("timestamp") ? record.get("timestamp").asLong() : null;
    byte[] key = Canon.bytesOf(record.get("key"));
    byte[] value = Canon.bytesOf(record.get("value"));
    List<Header> headers = new ArrayList<>();
    // Kafka's producer takes names as strings only.
    for (Header header : headersOf(record)) headers.add(new RecordHeader(header.key(), header.value()));
    int partition = record.path("partition").asInt(0);
    // Below zero, Kafka's own partitioner decides by the key.
    return new ProducerRecord<>(topic, partition < 0 ? null : partition, timestamp, key, value, headers);
  }

  private static Header[] headersOf(JsonNode record) {
    JsonNode list = record.path("headers") instanceof NullNode ? record.path("none") : record.path("headers");
    Header[] headers = new Header[list.size()];
    for (int i = 0; i < headers.length; i++) {
      byte[] name = Canon.bytesOf(list.get(i).get(0));
      headers[i] = Wire.header(name, Canon.bytesOf(list.get(i).get(1)));
    }
    return headers;
  }

  /** A producer that keeps the order, waits for company of its records, and fails rather than waits for ever. */
  static KafkaProducer<byte[], byte[]> producer(Map<String, Object> settings, JsonNode arguments, Map<String, Object> more) {
    int batchBytes = arguments.path("batchBytes").asInt(batchBytesDefault);
    Map<String, Object> all = new HashMap<>(settings);
    all.put("acks", "all");
    all.put("enable.idempotence", true);
    all.put("compression.type", arguments.path("codec").asText("none"));
    all.put("batch.size", batchBytes);
    // Longer than any test adds records: only `flush` and a full batch send.
    all.put("linger.ms", 60_000);
    all.put("max.request.size", 128 * 1024 * 1024);
    all.put("buffer.memory", 128L * 1024 * 1024);
    all.put("delivery.timeout.ms", 120_000);
    all.putAll(more);
    all.putAll(Topics.strings(arguments.path("settings")));
    return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
  }
}
