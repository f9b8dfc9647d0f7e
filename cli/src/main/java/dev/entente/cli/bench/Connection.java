// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli.bench;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A keep-alive HTTP/1.1 connection that does no more than it must, so that a generator on the same
 * machine takes little of it from the node. Not thread-safe.
 */
final class Connection implements AutoCloseable {
  private final HttpLoad.Target target;
  private final Socket socket;
  private final OutputStream out;
  private final InputStream in;

  Connection(HttpLoad.Target target) throws IOException {
    this.target = target;
    socket = new Socket(target.host(), target.port());
    socket.setTcpNoDelay(true);
    out = socket.getOutputStream();
    in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
  }

  /**
   * Sends, reads the whole answer, and returns its ETag.
   *
   * @throws IOException where the answer is no success, or the connection ends
   */
  String send(String method, String path, String body, String header) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    byte[] head =
        """
        %s %s HTTP/1.1\r
        Host: %s\r
        Authorization: Bearer %s\r
        Content-Type: application/json\r
        %s\r
        Content-Length: %d\r
        \r
        """
            .formatted(method, path, target.host(), target.token(), header, bytes.length)
            .getBytes(StandardCharsets.US_ASCII);
    byte[] all = Arrays.copyOf(head, head.length + bytes.length);
    System.arraycopy(bytes, 0, all, head.length, bytes.length);
    out.write(all);
    out.flush();
    String status = line();
    if (!status.startsWith("HTTP/1.1 2")) {
      throw new IOException("the node answered " + status);
    }
    String etag = "";
    int length = 0;
    for (String line = line(); !line.isEmpty(); line = line()) {
      if (line.regionMatches(true, 0, "etag:", 0, 5)) {
        etag = line.substring(5).strip();
      } else if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
        length = Integer.parseInt(line.substring(15).strip());
      }
    }
    in.skipNBytes(length);
    return etag;
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new IOException("the node closed the connection");
      }
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
