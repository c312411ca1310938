package maxbrod;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * `Rehearsal <folder>` runs a node and the referee in one JVM, for as long as it takes to load the classes that tests need,
 * so that the JVM can write them into an archive at its end (`-XX:ArchiveClassesAtExit`).
 */
public final class Rehearsal {
  private static final Map<String, Referee.Command> commands = new HashMap<>();

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    int port = freePort();
    Path properties = folder.resolve("server.properties");
    Files.write(properties, propertiesOf(folder, port, freePort()));
    Thread node = new Thread(
        () -> Broker.main(new String[] {properties.toString(), folder + "/data", "cmVoZWFyc2FsLi4uLi4uLg"}));
    node.setDaemon(true);
    node.start();

    Map<String, Object> settings = Map.of("bootstrap.servers", "127.0.0.1:" + port);
    new Topics(settings).addTo(commands);
    new Produce(settings).addTo(commands);
    new Generate(settings).addTo(commands);
    new Read(settings).addTo(commands);
    run("createTopic", "{'topic': 'a', 'partitions': 2, 'configs': {'cleanup.policy': 'compact'}}");
    for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
      run("generate", "{'topic': 'a', 'partitions': 2, 'records': 100, 'codec': '" + codec + "', 'headers': [0, 2]}");
    }
    run("generateTransactions", "{'topic': 'a', 'partitions': 2, 'transactions': 4}");
    run("commitOffsets", "{'group': 'g', 'offsets': [{'topic': 'a', 'partition': 0, 'offset': '1'}]}");
    run("groupOffsets", "{'group': 'g'}");
    run("offsets", "{'topic': 'a'}");
    run("describeTopic", "{'topic': 'a'}");
    run("read", "{'topic': 'a'}");
    System.exit(0);
  }

  private static void run(String name, String arguments) throws Exception {
    JsonNode request = Referee.json.readTree(arguments.replace('\'', '"'));
    commands.get(name).run(request);
  }

  private static List<String> propertiesOf(Path folder, int port, int controllerPort) {
    return List.of(
        "process.roles=broker,controller",
        "node.id=1",
        "controller.quorum.voters=1@127.0.0.1:" + controllerPort,
        "listeners=PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort,
        "controller.listener.names=CONTROLLER",
        "log.dirs=" + folder + "/data",
        "group.initial.rebalance.delay.ms=0",
        "offsets.topic.num.partitions=1",
        "offsets.topic.replication.factor=1",
        "transaction.state.log.num.partitions=1",
        "transaction.state.log.replication.factor=1",
        "transaction.state.log.min.isr=1");
  }

  private static int freePort() throws Exception {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
