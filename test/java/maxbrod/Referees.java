package maxbrod;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * `Referees <port>`: each connection is a referee of its own, whose first line is the settings of its clients. One JVM starts
 * once for many, and its code is hot.
 */
public final class Referees {
  public static void main(String[] args) throws IOException {
    try (ServerSocket server = new ServerSocket(Integer.parseInt(args[0]), 50, InetAddress.getLoopbackAddress())) {
      for (;;) {
        Socket socket = server.accept();
        new Thread(() -> serve(socket)).start();
      }
    }
  }

  private static void serve(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      BufferedReader input =
          new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8), 1 << 16);
      BufferedOutputStream output = new BufferedOutputStream(socket.getOutputStream(), 1 << 16);
      String settings = input.readLine();
      if (settings != null) Referee.converse(settings, input, new PrintStream(output, false, StandardCharsets.UTF_8));
    } catch (IOException e) {
      // Whoever asked was killed.
    }
  }
}
