package maxbrod;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** Commands about topics and groups: what an operator would do with Kafka's own tools. */
final class Topics implements AutoCloseable {
  private static final long waitMs = 90_000;

  private final Map<String, Object> settings;
  private Admin admin;

  Topics(Map<String, Object> settings) {
    this.settings = settings;
  }

  void addTo(Map<String, Referee.Command> commands) {
    commands.put("createTopic", this::createTopic);
    commands.put("deleteTopic", this::deleteTopic);
    commands.put("describeTopic", this::describeTopic);
    commands.put("alterConfigs", this::alterConfigs);
    commands.put("addPartitions", this::addPartitions);
    commands.put("deleteRecords", this::deleteRecords);
    commands.put("denyReading", this::denyReading);
    commands.put("moveLeader", this::moveLeader);
    commands.put("limitProducers", this::limitProducers);
    commands.put("offsets", this::offsets);
    commands.put("waitCompacted", this::waitCompacted);
    commands.put("commitOffsets", this::commitOffsets);
    commands.put("groupOffsets", this::groupOffsets);
    commands.put("listGroups", this::listGroups);
    commands.put("deleteGroup", this::deleteGroup);
  }

  private synchronized Admin admin() {
    if (admin == null) admin = Admin.create(settings);
    return admin;
  }

  @Override
  public synchronized void close() {
    if (admin != null) admin.close(Duration.ZERO);
  }

  private Object createTopic(JsonNode arguments) throws Exception {
    String name = arguments.get("topic").asText();
    Optional<Short> replicas = Optional.ofNullable(arguments.get("replicas")).map(node -> (short) node.asInt());
    NewTopic topic = new NewTopic(name, Optional.of(arguments.path("partitions").asInt(1)), replicas);
    var result = admin().createTopics(List.of(topic.configs(strings(arguments.path("configs")))));
    String topicId = result.topicId(name).get().toString();
    // Created is not yet known everywhere: a client that asks at once may still hear that there is no such topic.
    until("every partition of " + name + " has a leader", () -> describe(name).topicId().toString().equals(topicId)
        && describe(name).partitions().stream().allMatch(partition -> partition.leader() != null));
    // Nor do leaders know at once that they lead: one that refuses a producer's first batch and takes the second has the
    // producer send the first one again for ever, out of sequence. Admin asks until each of them answers.
    until("the leaders of " + name + " answer", () -> {
      list(name, topic.numPartitions(), OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED);
      return true;
    });
    return Map.of("topicId", topicId);
  }

  private Object deleteTopic(JsonNode arguments) throws Exception {
    String name = arguments.get("topic").asText();
    admin().deleteTopics(List.of(name)).all().get();
    until(name + " is gone", () -> {
      try {
        describe(name);
        return false;
      } catch (ExecutionException e) {
        return e.getCause() instanceof UnknownTopicOrPartitionException;
      }
    });
    return Map.of();
  }

  private Object describeTopic(JsonNode arguments) throws Exception {
    String name = arguments.get("topic").asText();
    TopicDescription topic = describe(name);
    List<Object> partitions = new ArrayList<>();
    for (var partition : topic.partitions()) {
      Node leader = partition.leader();
      partitions.add(Map.of(
          "partition", partition.partition(),
          "leader", leader == null ? -1 : leader.id(),
          "replicas", partition.replicas().stream().map(Node::id).toList(),
          "inSync", partition.isr().stream().map(Node::id).toList()));
    }
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
    Config config = admin().describeConfigs(List.of(resource)).all().get().get(resource);
    Map<String, String> configs = new TreeMap<>();
    for (ConfigEntry entry : config.entries()) {
      if (entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG) configs.put(entry.name(), entry.value());
    }
    return Map.of("topicId", topic.topicId().toString(), "partitions", partitions, "configs", configs);
  }

  private Object alterConfigs(JsonNode arguments) throws Exception {
    ConfigResource resource = arguments.has("topic")
        ? new ConfigResource(ConfigResource.Type.TOPIC, arguments.get("topic").asText())
        : new ConfigResource(ConfigResource.Type.BROKER, arguments.get("broker").asText());
    Collection<AlterConfigOp> changes = new ArrayList<>();
    strings(arguments.path("set"))
        .forEach((name, value) -> changes.add(new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET)));
    for (JsonNode name : arguments.path("remove")) {
      changes.add(new AlterConfigOp(new ConfigEntry(name.asText(), null), AlterConfigOp.OpType.DELETE));
    }
    admin().incrementalAlterConfigs(Map.of(resource, changes)).all().get();
    return Map.of();
  }

  private Object addPartitions(JsonNode arguments) throws Exception {
    String name = arguments.get("topic").asText();
    int count = arguments.get("count").asInt();
    admin().createPartitions(Map.of(name, NewPartitions.increaseTo(count))).all().get();
    until(name + " has " + count + " partitions", () -> describe(name).partitions().size() == count);
    return Map.of();
  }

  private Object deleteRecords(JsonNode arguments) throws Exception {
    RecordsToDelete before = RecordsToDelete.beforeOffset(arguments.get("before").asLong());
    admin().deleteRecords(Map.of(partitionOf(arguments), before)).all().get();
    return Map.of();
  }

  /** For a cluster with an authorizer: the user may see the topic, and not read it. */
  private Object denyReading(JsonNode arguments) throws Exception {
    String user = "User:" + arguments.get("user").asText();
    var topic = new ResourcePattern(ResourceType.TOPIC, arguments.get("topic").asText(), PatternType.LITERAL);
    List<AclBinding> acls = new ArrayList<>();
    acls.add(new AclBinding(topic, new AccessControlEntry(user, "*", AclOperation.DESCRIBE, AclPermissionType.ALLOW)));
    acls.add(new AclBinding(topic, new AccessControlEntry(user, "*", AclOperation.READ, AclPermissionType.DENY)));
    admin().createAcls(acls).all().get();
    return Map.of();
  }

  /** The quota of every client id, per broker. */
  private Object limitProducers(JsonNode arguments) throws Exception {
    Map<String, String> everyClient = new HashMap<>();
    everyClient.put(ClientQuotaEntity.CLIENT_ID, null);
    double rate = arguments.get("bytesPerSecond").asDouble();
    var limit = List.of(new ClientQuotaAlteration.Op("producer_byte_rate", rate == 0 ? null : rate));
    admin().alterClientQuotas(List.of(new ClientQuotaAlteration(new ClientQuotaEntity(everyClient), limit))).all().get();
    return Map.of();
  }

  /** Makes a replica the leader: it becomes the preferred one, then the preferred one is elected. */
  private Object moveLeader(JsonNode arguments) throws Exception {
    TopicPartition partition = partitionOf(arguments);
    int to = arguments.get("to").asInt();
    var description = describeKnown(partition.topic()).partitions().get(partition.partition());
    List<Integer> replicas = new ArrayList<>(List.of(to));
    description.replicas().stream().map(Node::id).filter(id -> id != to).forEach(replicas::add);
    var reassignment = Optional.of(new NewPartitionReassignment(replicas));
    admin().alterPartitionReassignments(Map.of(partition, reassignment)).all().get();
    until(to + " leads " + partition, () -> {
      try {
        admin().electLeaders(ElectionType.PREFERRED, Set.of(partition)).all().get();
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof ElectionNotNeededException)) return false;
      }
      Node leader = describe(partition.topic()).partitions().get(partition.partition()).leader();
      return leader != null && leader.id() == to;
    });
    return Map.of();
  }

  private Object offsets(JsonNode arguments) throws Exception {
    String name = arguments.get("topic").asText();
    int count = describeKnown(name).partitions().size();
    var starts = list(name, count, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED);
    var stable = list(name, count, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED);
    var ends = list(name, count, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED);
    List<Object> offsets = new ArrayList<>();
    for (int p = 0; p < count; p++) {
      offsets.add(Map.of("partition", p, "start", starts.get(p), "lastStable", stable.get(p), "end", ends.get(p)));
    }
    return offsets;
  }

  private List<String> list(String topic, int count, OffsetSpec spec, IsolationLevel isolation) throws Exception {
    Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
    for (int p = 0; p < count; p++) wanted.put(new TopicPartition(topic, p), spec);
    var result = admin().listOffsets(wanted, new ListOffsetsOptions(isolation)).all().get();
    List<String> offsets = new ArrayList<>();
    for (int p = 0; p < count; p++) offsets.add(Long.toString(result.get(new TopicPartition(topic, p)).offset()));
    return offsets;
  }

  private Object waitCompacted(JsonNode arguments) throws Exception {
    TopicPartition partition = partitionOf(arguments);
    long atMost = arguments.get("atMost").asLong();
    long[] records = {-1};
    long timeoutMs = arguments.path("timeoutMs").asLong(waitMs);
    until("at most " + atMost + " records in " + partition, timeoutMs, () -> {
      records[0] = Read.count(settings, partition);
      return records[0] <= atMost;
    });
    return Map.of("records", records[0]);
  }

  private Object commitOffsets(JsonNode arguments) throws Exception {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    for (JsonNode entry : arguments.get("offsets")) {
      Optional<Integer> epoch = Optional.ofNullable(entry.get("leaderEpoch")).map(JsonNode::asInt);
      String metadata = entry.path("metadata").asText("");
      offsets.put(partitionOf(entry), new OffsetAndMetadata(entry.get("offset").asLong(), epoch, metadata));
    }
    admin().alterConsumerGroupOffsets(arguments.get("group").asText(), offsets).all().get();
    return Map.of();
  }

  private Object groupOffsets(JsonNode arguments) throws Exception {
    var offsets = admin().listConsumerGroupOffsets(arguments.get("group").asText()).partitionsToOffsetAndMetadata().get();
    List<Map<String, Object>> list = new ArrayList<>();
    offsets.forEach((partition, offset) -> {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("topic", partition.topic());
      entry.put("partition", partition.partition());
      entry.put("offset", Long.toString(offset.offset()));
      entry.put("metadata", offset.metadata());
      entry.put("leaderEpoch", offset.leaderEpoch().orElse(null));
      list.add(entry);
    });
    list.sort((a, b) -> (a.get("topic") + " " + String.format("%09d", (int) a.get("partition")))
        .compareTo(b.get("topic") + " " + String.format("%09d", (int) b.get("partition"))));
    return list;
  }

  private Object listGroups(JsonNode arguments) throws Exception {
    List<Object> groups = new ArrayList<>();
    for (var group : admin().listGroups().all().get()) {
      groups.add(Map.of(
          "group", group.groupId(),
          "type", group.type().map(Object::toString).orElse(""),
          "state", group.groupState().map(Object::toString).orElse("")));
    }
    return groups;
  }

  private Object deleteGroup(JsonNode arguments) throws Exception {
    admin().deleteConsumerGroups(List.of(arguments.get("group").asText())).all().get();
    return Map.of();
  }

  /** Of a topic that exists, whichever broker is asked: one that has just come back may hear of it later than the others. */
  private TopicDescription describeKnown(String topic) throws Exception {
    TopicDescription[] description = new TopicDescription[1];
    until(topic + " is known", () -> {
      description[0] = describe(topic);
      return true;
    });
    return description[0];
  }

  private TopicDescription describe(String topic) throws Exception {
    return admin().describeTopics(List.of(topic)).allTopicNames().get().get(topic);
  }

  static TopicPartition partitionOf(JsonNode arguments) {
    return new TopicPartition(arguments.get("topic").asText(), arguments.get("partition").asInt());
  }

  static Map<String, String> strings(JsonNode object) {
    Map<String, String> strings = new HashMap<>();
    object.properties().forEach(entry -> strings.put(entry.getKey(), entry.getValue().asText()));
    return strings;
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private static void until(String what, Condition condition) throws Exception {
    until(what, waitMs, condition);
  }

  private static void until(String what, long timeoutMs, Condition condition) throws Exception {
    long deadline = System.nanoTime() + timeoutMs * 1_000_000;
    for (;;) {
      boolean holds;
      try {
        holds = condition.holds();
      } catch (ExecutionException e) {
        // A topic that is not known everywhere yet.
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) throw e;
        holds = false;
      }
      if (holds) return;
      if (System.nanoTime() > deadline) throw new IllegalStateException("not within " + timeoutMs + " ms: " + what);
      Thread.sleep(20);
    }
  }
}
