package maxbrod;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;

/**
 * Runs another main class and dies with whoever started it: `Tether <main class> <arguments…>`. The starter holds the
 * other end of standard input; when it ends in any way, by SIGKILL too, the kernel closes the pipe and this JVM halts.
 */
public final class Tether {
  public static void main(String[] args) throws Throwable {
    Thread watch = new Thread(Tether::haltAtEndOfInput, "tether");
    watch.setDaemon(true);
    watch.start();
    try {
      Class.forName(args[0])
          .getMethod("main", String[].class)
          .invoke(null, (Object) Arrays.copyOfRange(args, 1, args.length));
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static void haltAtEndOfInput() {
    try {
      while (System.in.read() >= 0) {
        // Nothing is ever said on this line; only its end means something.
      }
    } catch (IOException e) {
      // A broken pipe means the same as its end.
    }
    Runtime.getRuntime().halt(143);
  }
}
