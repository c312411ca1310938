package maxbrod;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * An independent opinion on what a Kafka cluster holds: Kafka's own Java clients, driven by JSON lines.
 *
 * `Referee <client settings as JSON>`; each line of standard input is {"id", "command", …arguments}, each line of
 * standard output {"id", "answer"} or {"id", "error", "type"}. Commands run side by side; answers come as they are
 * ready. At the end of input the process halts, and what it had open (transactions, for one) stays open at the broker.
 * Referees is the same at a port, for many.
 *
 * Bytes are hexadecimal, null is null. Offsets and timestamps are decimal strings, because JSON readers round big
 * numbers. A record is {partition, offset, timestamp, timestampType, key, value, headers: [[name, value], …]}; in what
 * is sent, each part may be missing (a null key, no headers, the timestamp of the moment).
 *
 * topics   createTopic {topic, partitions, replicas?, configs?} → {topicId}        deleteTopic {topic}
 *          describeTopic {topic} → {topicId, partitions: [{partition, leader, replicas, inSync}], configs}
 *          alterConfigs {topic | broker, set?, remove?}      addPartitions {topic, count}
 *          deleteRecords {topic, partition, before}          moveLeader {topic, partition, to}
 *          limitProducers {bytesPerSecond}: the quota of each client id, 0 for none
 *          denyReading {topic, user}: may be described, and not be read; needs an authorizer
 *          offsets {topic} → [{partition, start, lastStable, end}]
 *          waitCompacted {topic, partition, atMost, timeoutMs?} → {records}: until so few committed records are left
 * groups   commitOffsets {group, offsets: [{topic, partition, offset, metadata?, leaderEpoch?}]}
 *          groupOffsets {group} → [{topic, partition, offset, metadata, leaderEpoch}]
 *          listGroups → [{group, type, state}]               deleteGroup {group}
 * members  openConsumer {consumer, group, topics, protocol?, settings?} → {partitions}: `classic` or `consumer` (KIP-848)
 *          commitConsumer {consumer, offsets} · closeConsumer {consumer}
 *          nextRecords {group, partitions: [{topic, partition}]} → [{topic, partition, kind, offset?, sourceOffset?, value?}]:
 *          what a consumer of the group reads first; kind is record, end, `no commit` or `out of range`
 * produce  produce {topic, records, codec?, batchBytes?, settings?} → [{partition, offset}], in the order of records;
 *          what goes to one partition becomes one batch if it fits into batchBytes
 *          append {topic, partition, batches} → {baseOffset}: RecordBatch bytes as they are, whatever is in them
 *          appendRecords {topic, partition, records, codec?} → {baseOffset}: one batch, free of what Kafka's producer
 *          refuses: negative timestamps, header names that are not UTF-8
 * open     open {producer, transactionalId?, timeoutMs?, codec?, settings?} · begin, flush, commit, abort, close
 *          {producer} · send {producer, topic, records} → as produce; sent and flushed
 * bulk     generate {topic, records, …}, generateTransactions {topic, transactions, …}: see Generate
 *          → [{partition, records, content}]
 * read     read {topic, partitions?, isolation?, restored?, from?, records?, file?}: see Read
 */
public final class Referee {
  static final ObjectMapper json = new ObjectMapper();

  interface Command {
    Object run(JsonNode arguments) throws Exception;
  }

  public static void main(String[] args) throws Exception {
    PrintStream answers = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    // Log lines go where they cannot be taken for answers.
    System.setOut(System.err);
    converse(args[0], new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8), 1 << 16), answers);
    Runtime.getRuntime().halt(0);
  }

  /** Answers until the end of input, and lets go of what is open then, as a process does that is killed. */
  static void converse(String clientSettings, BufferedReader input, PrintStream answers) throws IOException {
    Map<String, Object> settings = new HashMap<>();
    json.readTree(clientSettings).properties().forEach(entry -> settings.put(entry.getKey(), entry.getValue().asText()));
    Map<String, Command> commands = new HashMap<>();
    ExecutorService threads = Executors.newCachedThreadPool();
    try (Consume consume = new Consume(settings);
        Produce produce = new Produce(settings);
        Topics topics = new Topics(settings)) {
      topics.addTo(commands);
      produce.addTo(commands);
      consume.addTo(commands);
      new Generate(settings).addTo(commands);
      new Read(settings).addTo(commands);
      try {
        for (String line = input.readLine(); line != null; line = input.readLine()) {
          JsonNode request = json.readTree(line);
          threads.execute(() -> {
            ObjectNode response = respond(commands, request);
            synchronized (answers) {
              answers.println(response);
              answers.flush();
            }
          });
        }
      } finally {
        threads.shutdownNow();
      }
    }
  }

  private static ObjectNode respond(Map<String, Command> commands, JsonNode request) {
    ObjectNode response = json.createObjectNode();
    response.set("id", request.get("id"));
    try {
      String name = request.path("command").asText();
      Command command = commands.get(name);
      if (command == null) throw new IllegalArgumentException("no such command: " + name);
      response.set("answer", json.valueToTree(command.run(request)));
    } catch (Throwable error) {
      Throwable cause = error instanceof ExecutionException && error.getCause() != null ? error.getCause() : error;
      response.put("error", String.valueOf(cause.getMessage()));
      response.put("type", cause.getClass().getSimpleName());
      cause.printStackTrace();
    }
    return response;
  }
}
