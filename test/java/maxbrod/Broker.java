package maxbrod;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A Kafka node in one JVM start: `Broker <server.properties> <log folder> <cluster id>` formats the folder when that was
 * never done, then runs the node. Kafka's own way takes a JVM for each of the two.
 */
public final class Broker {
  public static void main(String[] args) {
    String properties = args[0];
    if (!Files.exists(Path.of(args[1], "meta.properties"))) {
      int code = kafka.tools.StorageTool.execute(new String[] {"format", "-t", args[2], "-c", properties}, System.out);
      if (code != 0) System.exit(code);
    }
    kafka.Kafka.main(new String[] {properties});
  }
}
