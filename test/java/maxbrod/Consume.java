package maxbrod;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Commands about consumers of a group: members that are there, and what a consumer of the group reads next. */
final class Consume implements AutoCloseable {
  private final Map<String, Object> settings;
  private final Map<String, KafkaConsumer<byte[], byte[]>> open = new ConcurrentHashMap<>();

  Consume(Map<String, Object> settings) {
    this.settings = settings;
  }

  void addTo(Map<String, Referee.Command> commands) {
    commands.put("openConsumer", this::openConsumer);
    commands.put("commitConsumer", this::commitConsumer);
    commands.put("closeConsumer", this::closeConsumer);
    commands.put("nextRecords", this::nextRecords);
  }

  @Override
  public void close() {
    open.keySet().forEach(name -> {
      KafkaConsumer<byte[], byte[]> consumer = open.remove(name);
      synchronized (consumer) {
        consumer.close(Duration.ZERO);
      }
    });
  }

  private KafkaConsumer<byte[], byte[]> consumer(String group, Map<String, String> more) {
    Map<String, Object> all = new HashMap<>(settings);
    all.put("group.id", group);
    all.put("enable.auto.commit", "false");
    all.put("isolation.level", "read_committed");
    all.put("auto.offset.reset", "none");
    all.putAll(more);
    return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /** Resolves when the member has partitions. */
  private Object openConsumer(JsonNode arguments) throws Exception {
    Map<String, String> more = new HashMap<>(Topics.strings(arguments.path("settings")));
    more.put("group.protocol", arguments.path("protocol").asText("classic"));
    more.put("auto.offset.reset", "earliest");
    KafkaConsumer<byte[], byte[]> consumer = consumer(arguments.get("group").asText(), more);
    List<String> topics = new ArrayList<>();
    arguments.get("topics").forEach(topic -> topics.add(topic.asText()));
    consumer.subscribe(topics);
    long deadline = System.nanoTime() + 30_000_000_000L;
    while (consumer.assignment().isEmpty()) {
      consumer.poll(Duration.ofMillis(50));
      if (System.nanoTime() > deadline) throw new IllegalStateException("no partitions for the consumer");
    }
    open.put(arguments.get("consumer").asText(), consumer);
    return Map.of("partitions", consumer.assignment().size());
  }

  private Object commitConsumer(JsonNode arguments) {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    for (JsonNode entry : arguments.get("offsets")) {
      Optional<Integer> epoch = Optional.ofNullable(entry.get("leaderEpoch")).map(JsonNode::asInt);
      String metadata = entry.path("metadata").asText("");
      offsets.put(Topics.partitionOf(entry), new OffsetAndMetadata(entry.get("offset").asLong(), epoch, metadata));
    }
    KafkaConsumer<byte[], byte[]> consumer = open.get(arguments.get("consumer").asText());
    synchronized (consumer) {
      consumer.commitSync(offsets);
    }
    return Map.of();
  }

  private Object closeConsumer(JsonNode arguments) {
    KafkaConsumer<byte[], byte[]> consumer = open.remove(arguments.get("consumer").asText());
    synchronized (consumer) {
      consumer.close();
    }
    return Map.of();
  }

  /** What a consumer of the group reads first in each partition, if it begins where the group has committed. */
  private Object nextRecords(JsonNode arguments) {
    List<TopicPartition> asked = new ArrayList<>();
    for (JsonNode entry : arguments.get("partitions")) asked.add(Topics.partitionOf(entry));
    Map<TopicPartition, Map<String, Object>> found = new HashMap<>();
    long timeoutMs = arguments.path("timeoutMs").asLong(30_000);
    Map<String, String> patience = Map.of("default.api.timeout.ms", Long.toString(timeoutMs));
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(arguments.get("group").asText(), patience)) {
      Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(new HashSet<>(asked));
      for (TopicPartition partition : asked) {
        if (committed.get(partition) == null) found.put(partition, Map.of("kind", "no commit"));
      }
      long deadline = System.nanoTime() + timeoutMs * 1_000_000;
      for (;;) {
        Set<TopicPartition> left = new HashSet<>(asked);
        left.removeAll(found.keySet());
        if (left.isEmpty()) break;
        if (System.nanoTime() > deadline) throw new IllegalStateException("nothing came of " + left);
        if (!consumer.assignment().equals(left)) consumer.assign(left);
        Map<TopicPartition, Long> ends = consumer.endOffsets(left);
        try {
          var records = consumer.poll(Duration.ofMillis(200));
          for (TopicPartition partition : left) {
            var first = records.records(partition).stream().findFirst();
            if (first.isPresent()) found.put(partition, describe(first.get()));
            else if (consumer.position(partition) >= ends.get(partition)) found.put(partition, Map.of("kind", "end"));
          }
        } catch (OffsetOutOfRangeException e) {
          for (TopicPartition partition : e.partitions()) found.put(partition, Map.of("kind", "out of range"));
        }
      }
    }
    List<Object> answer = new ArrayList<>();
    for (TopicPartition partition : asked) {
      Map<String, Object> entry = new LinkedHashMap<>(found.get(partition));
      entry.put("topic", partition.topic());
      entry.put("partition", partition.partition());
      answer.add(entry);
    }
    return answer;
  }

  private static Map<String, Object> describe(ConsumerRecord<byte[], byte[]> record) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("kind", "record");
    entry.put("offset", Long.toString(record.offset()));
    Header source = record.headers().lastHeader("restore.source-offset");
    if (source != null) entry.put("sourceOffset", new String(source.value(), StandardCharsets.UTF_8));
    entry.put("value", record.value() == null ? null : new String(record.value(), StandardCharsets.UTF_8));
    return entry;
  }
}
