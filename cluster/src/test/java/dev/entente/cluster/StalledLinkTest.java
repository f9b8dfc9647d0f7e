// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.causality.NodeId;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;

/** A link whose other end is gone, or sends what cannot be taken, is tried again. */
class StalledLinkTest {
  private static final NodeId SELF = new NodeId("a.1");

  @Test
  void anAnswerThatStopsInTheMiddleIsGivenUp() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        HttpTransport transport =
            new HttpTransport("secret", Optional.empty(), Duration.ofMillis(300))) {
      CountDownLatch over = new CountDownLatch(1);
      Thread.ofVirtual().start(() -> answerHalf(server, over));
      String url = "http://127.0.0.1:" + server.getLocalPort();
      assertThatThrownBy(() -> transport.get(url, SELF, "digest"))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("in the middle of its answer");
      over.countDown();
    }
  }

  /** Says how much is to come, sends less, and keeps the line open. */
  private static void answerHalf(ServerSocket server, CountDownLatch over) {
    try (Socket socket = server.accept()) {
      OutputStream out = socket.getOutputStream();
      out.write(
          "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".getBytes(StandardCharsets.UTF_8));
      out.flush();
      over.await();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void whateverGoesWrongTheLinkIsTriedAgain() throws Exception {
    CountDownLatch asked = new CountDownLatch(3);
    Transport broken =
        new Transport() {
          @Override
          public PullReply pull(String url, PullRequest request) {
            asked.countDown();
            throw new IllegalStateException("what nobody thought of");
          }

          @Override
          public byte[] get(String url, NodeId from, String question) throws IOException {
            throw new IOException("nobody is there");
          }

          @Override
          public byte[] post(
              String url, NodeId from, String what, byte[] body, Optional<String> credential)
              throws IOException {
            throw new IOException("nobody is there");
          }
        };
    LongSupplier millis = () -> System.nanoTime() / 1_000_000;
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("a"))) {
      ClusterConfig config = ClusterConfig.of("http://a", List.of("http://b")).polling(20, 100);
      Cluster cluster = new Cluster(node, config, millis);
      try (ClusterRunner _ = ClusterRunner.start(cluster, broken, millis)) {
        assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
      }
    }
  }
}
