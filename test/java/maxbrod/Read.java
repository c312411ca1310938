package maxbrod;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * `read {topic, partitions?, isolation?, restored?, from?, records?, file?}` reads a topic from its start (or `from`:
 * {partition: offset}) to the ends it has when the reading begins, and answers per partition:
 *
 * {partition, start, end, records, first, last, digest, content}: the range read, how many records and the first and
 * last of their offsets, and the two digests of Canon, with and without offsets.
 *
 * isolation  "read_committed" (default) or "read_uncommitted"
 * restored   true: the last header of each record must be restore.source-offset. It is split off, and the *source*
 *            offset is what `digest` is computed from, so that it equals the digest of the source. Adds
 *            {sourceFirst, sourceLast, strays}: strays counts records without that header, or whose source offset does
 *            not ascend. Records get a column "sourceOffset".
 * records    true: adds {list}, the records in canonical form
 * file       a path: the canonical records as JSON lines, in the order read; within a partition that of the offsets
 */
final class Read {
  private static final String sourceOffset = "restore.source-offset";
  private static final long stalledMs = 30_000;

  private final Map<String, Object> settings;

  Read(Map<String, Object> settings) {
    this.settings = settings;
  }

  void addTo(Map<String, Referee.Command> commands) {
    commands.put("read", this::read);
  }

  private Object read(JsonNode arguments) throws Exception {
    boolean isRestored = arguments.path("restored").asBoolean();
    boolean wantsList = arguments.path("records").asBoolean();
    String topic = arguments.get("topic").asText();
    String isolation = arguments.path("isolation").asText("read_committed");
    try (var consumer = consumer(settings, isolation);
        var file = arguments.hasNonNull("file") ? writer(arguments.get("file").asText()) : null) {
      List<TopicPartition> partitions = partitionsOf(consumer, topic, arguments.get("partitions"));
      Map<TopicPartition, Part> parts = new HashMap<>();
      var starts = consumer.beginningOffsets(partitions);
      var ends = consumer.endOffsets(partitions);
      for (TopicPartition partition : partitions) {
        JsonNode from = arguments.path("from").path(Integer.toString(partition.partition()));
        long start = from.isMissingNode() ? starts.get(partition) : from.asLong();
        parts.put(partition, new Part(partition.partition(), start, ends.get(partition), wantsList));
      }
      readThrough(consumer, parts, record -> {
        Part part = parts.get(new TopicPartition(record.topic(), record.partition()));
        ObjectNode line = part.add(record, isRestored, wantsList || file != null);
        if (file != null) file.append(line.put("partition", record.partition()).toString()).append('\n');
      });
      return partitions.stream().map(partition -> parts.get(partition).answer(isRestored)).toList();
    }
  }

  /** The number of committed records of a partition. */
  static long count(Map<String, Object> settings, TopicPartition partition) throws Exception {
    try (var consumer = consumer(settings, "read_committed")) {
      List<TopicPartition> one = List.of(partition);
      long start = consumer.beginningOffsets(one).get(partition);
      Part part = new Part(partition.partition(), start, consumer.endOffsets(one).get(partition), false);
      readThrough(consumer, Map.of(partition, part), record -> part.records++);
      return part.records;
    }
  }

  private interface Visitor {
    void visit(ConsumerRecord<byte[], byte[]> record) throws Exception;
  }

  private static void readThrough(
      KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Part> parts, Visitor visitor) throws Exception {
    consumer.assign(parts.keySet());
    parts.forEach((partition, part) -> consumer.seek(partition, part.start));
    List<TopicPartition> left = new ArrayList<>(parts.keySet());
    long lastProgress = System.nanoTime();
    long lastPositions = -1;
    for (;;) {
      // The position passes control records and aborted ones, too, so it is what says that the end was reached.
      List<TopicPartition> done = left.stream().filter(p -> consumer.position(p) >= parts.get(p).end).toList();
      left.removeAll(done);
      consumer.pause(done);
      if (left.isEmpty()) return;
      ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
      for (ConsumerRecord<byte[], byte[]> record : records) {
        Part part = parts.get(new TopicPartition(record.topic(), record.partition()));
        if (record.offset() < part.end) visitor.visit(record);
      }
      long positions = 0;
      for (TopicPartition partition : left) positions += consumer.position(partition);
      if (positions != lastPositions) lastProgress = System.nanoTime();
      lastPositions = positions;
      if (System.nanoTime() - lastProgress > stalledMs * 1_000_000) {
        throw new IllegalStateException("reading stopped short of the end of " + left);
      }
    }
  }

  /** What was read of one partition. */
  private static final class Part {
    final int partition;
    final long start;
    final long end;
    final Canon canon = new Canon();
    final ArrayNode list;
    long records;
    long first = -1;
    long last = -1;
    long sourceFirst = -1;
    long sourceLast = -1;
    long strays;

    Part(int partition, long start, long end, boolean wantsList) {
      this.partition = partition;
      this.start = start;
      this.end = end;
      this.list = wantsList ? Referee.json.createArrayNode() : null;
    }

    /** Adds a record and gives its canonical form back if that is wanted. */
    ObjectNode add(ConsumerRecord<byte[], byte[]> record, boolean isRestored, boolean wantsForm) {
      Header[] headers = record.headers().toArray();
      int headerCount = headers.length;
      long source = -1;
      if (isRestored) {
        source = sourceOffsetOf(headers);
        if (source >= 0) headerCount--;
        if (source <= sourceLast) strays++;
        if (sourceFirst < 0) sourceFirst = source;
        sourceLast = Math.max(sourceLast, source);
      }
      if (records++ == 0) first = record.offset();
      last = record.offset();
      long offset = isRestored ? source : record.offset();
      canon.add(offset, record.timestamp(), record.key(), record.value(), headers, headerCount);
      if (!wantsForm) return null;
      String type = record.timestampType().toString();
      ObjectNode form =
          Canon.record(record.offset(), record.timestamp(), type, record.key(), record.value(), headers, headerCount);
      if (isRestored) form.put("sourceOffset", Long.toString(source));
      if (list != null) list.add(form);
      return form;
    }

    ObjectNode answer(boolean isRestored) {
      ObjectNode answer = Referee.json.createObjectNode();
      answer.put("partition", partition);
      answer.put("start", Long.toString(start)).put("end", Long.toString(end)).put("records", records);
      answer.put("first", Long.toString(first)).put("last", Long.toString(last));
      answer.put("digest", canon.digest()).put("content", canon.content());
      if (isRestored) {
        answer.put("sourceFirst", Long.toString(sourceFirst)).put("sourceLast", Long.toString(sourceLast));
        answer.put("strays", strays);
      }
      if (list != null) answer.set("list", list);
      return answer;
    }
  }

  private static long sourceOffsetOf(Header[] headers) {
    if (headers.length == 0 || !headers[headers.length - 1].key().equals(sourceOffset)) return -1;
    byte[] value = headers[headers.length - 1].value();
    String text = value == null ? "" : new String(value, StandardCharsets.US_ASCII);
    return text.matches("0|[1-9][0-9]{0,18}") ? Long.parseLong(text) : -1;
  }

  private static List<TopicPartition> partitionsOf(KafkaConsumer<?, ?> consumer, String topic, JsonNode wanted) {
    List<TopicPartition> partitions = new ArrayList<>();
    if (wanted == null) {
      int count = consumer.partitionsFor(topic).size();
      for (int p = 0; p < count; p++) partitions.add(new TopicPartition(topic, p));
    } else {
      for (JsonNode partition : wanted) partitions.add(new TopicPartition(topic, partition.asInt()));
    }
    return partitions;
  }

  private static KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> settings, String isolation) {
    Map<String, Object> all = new HashMap<>(settings);
    all.put("isolation.level", isolation);
    all.put("max.poll.records", 5_000);
    all.put("max.partition.fetch.bytes", 8 * 1024 * 1024);
    // A position behind the log is an error of the test, not something to skip over.
    all.put("auto.offset.reset", "none");
    all.put("allow.auto.create.topics", false);
    return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static BufferedWriter writer(String file) throws Exception {
    return Files.newBufferedWriter(Path.of(file), StandardCharsets.UTF_8);
  }
}
