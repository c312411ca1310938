package maxbrod;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A Kafka node in one JVM start: `Broker <server.properties> <log folder> <cluster id> [<option of format>…]` formats the
 * folder when that was never done, then runs the node. Kafka's own way takes a JVM for each of the two.
 */
public final class Broker {
  public static void main(String[] args) {
    String properties = args[0];
    if (!Files.exists(Path.of(args[1], "meta.properties"))) {
      List<String> format = new ArrayList<>(List.of("format", "-t", args[2], "-c", properties));
      format.addAll(List.of(args).subList(3, args.length));
      int code = kafka.tools.StorageTool.execute(format.toArray(String[]::new), System.out);
      if (code != 0) System.exit(code);
    }
    kafka.Kafka.main(new String[] {properties});
  }
}
