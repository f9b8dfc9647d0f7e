// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Messages arrive, signed and in order, or are kept aside; and lead nowhere they must not. */
class WebhooksTest {
  private final AtomicLong now = new AtomicLong(1_700_000_000_000L);
  private final MemoryStore store = new MemoryStore();
  private Node node = open();
  private final List<String> got = new CopyOnWriteArrayList<>();
  private final AtomicInteger failing = new AtomicInteger();

  private Node open() {
    return Node.open(store, NodeConfig.DEFAULT.withName("n").withClock(now::get));
  }

  @AfterEach
  void close() {
    node.close();
  }

  private Webhooks webhooks() {
    return new Webhooks(
        node,
        (url, headers, body) -> {
          if (failing.getAndDecrement() > 0) {
            throw new IOException("answered 500");
          }
          got.add(headers.get("Entente-Signature") + " " + body);
        });
  }

  /** Has everything that is due tried, for as long as something is. */
  private void settle(Webhooks webhooks, String name, int waiting) throws InterruptedException {
    for (int i = 0; i < 500 && webhooks.waiting(name).size() != waiting; i++) {
      webhooks.look();
      Thread.sleep(5);
    }
    assertThat(webhooks.waiting(name)).hasSize(waiting);
  }

  private static JsonObject what(int i) {
    return JsonObject.of("summary", Json.of("message " + i));
  }

  @Test
  void messagesArriveSignedAndInOrder() throws Exception {
    Webhooks webhooks = webhooks();
    Webhook hook = webhooks.put("ops", URI.create("https://x.example"), Set.of(), "*", "admin");
    for (int i = 0; i < 20; i++) {
      webhooks.tell("alert-raised", "main", what(i));
    }
    settle(webhooks, "ops", 0);
    assertThat(got).hasSize(20);
    for (int i = 0; i < 20; i++) {
      String message = got.get(i);
      String body = message.substring(message.indexOf(' ') + 1);
      assertThat(body).contains("\"message " + i + "\"").contains("\"event\":\"alert-raised\"");
      String seconds = message.substring(2, message.indexOf(','));
      assertThat(message).contains("v1=" + Webhooks.signature(hook.secret(), seconds + "." + body));
    }
  }

  @Test
  void eachHearsOnlyWhatTheyAskedForOfTheirTenant() throws Exception {
    Webhooks webhooks = webhooks();
    webhooks.put("a", URI.create("https://a.example"), Set.of("review-opened"), "main", "admin");
    webhooks.tell("alert-raised", "main", what(1));
    webhooks.tell("review-opened", "other", what(2));
    webhooks.tell("review-opened", "", what(3));
    assertThat(webhooks.waiting("a")).isEmpty();
    webhooks.tell("review-opened", "main", what(4));
    settle(webhooks, "a", 0);
    assertThat(got).hasSize(1);
  }

  @Test
  void whatFailsIsTriedAgainEverMoreSlowlyAndThenKeptAside() throws Exception {
    Webhooks webhooks = webhooks();
    webhooks.put("ops", URI.create("https://x.example"), Set.of(), "*", "admin");
    failing.set(2);
    webhooks.tell("test", "", what(1));
    for (int attempt = 1; attempt <= 2; attempt++) {
      int tries = attempt;
      for (int i = 0; i < 500 && webhooks.waiting("ops").getFirst().attempts() < tries; i++) {
        webhooks.look();
        Thread.sleep(5);
      }
      assertThat(webhooks.waiting("ops").getFirst().problem()).isEqualTo("answered 500");
      assertThat(got).isEmpty();
      now.addAndGet(Webhooks.PAUSES_MILLIS.get(attempt - 1));
    }
    settle(webhooks, "ops", 0);
    assertThat(got).hasSize(1);

    failing.set(1_000);
    webhooks.tell("test", "", what(2));
    for (int i = 0; i < 1_000 && webhooks.dead("ops").isEmpty(); i++) {
      webhooks.look();
      Thread.sleep(2);
      now.addAndGet(Webhooks.PAUSES_MILLIS.getLast());
    }
    assertThat(webhooks.dead("ops")).hasSize(1);
    assertThat(webhooks.waiting("ops")).isEmpty();
    failing.set(0);
    assertThat(webhooks.again("ops")).isEqualTo(1);
    settle(webhooks, "ops", 0);
    assertThat(got).hasSize(2);
  }

  @Test
  void whatIsStillToBeToldOutlivesTheProcess() throws Exception {
    Webhooks webhooks = webhooks();
    webhooks.put("ops", URI.create("https://x.example"), Set.of(), "*", "admin");
    failing.set(1);
    webhooks.tell("test", "", what(1));
    for (int i = 0; i < 500 && webhooks.waiting("ops").getFirst().attempts() < 1; i++) {
      webhooks.look();
      Thread.sleep(5);
    }
    webhooks.look();
    node.close();
    node = open();
    Webhooks after = webhooks();
    assertThat(after.waiting("ops")).hasSize(1);
    now.addAndGet(10_000);
    settle(after, "ops", 0);
    assertThat(got).hasSize(1);
  }

  @Test
  void whatIsRemovedIsToldNoMore() {
    Webhooks webhooks = webhooks();
    webhooks.put("ops", URI.create("https://x.example"), Set.of(), "*", "admin");
    webhooks.tell("test", "", what(1));
    assertThat(webhooks.remove("ops", "admin")).isTrue();
    assertThat(webhooks.waiting("ops")).isEmpty();
    assertThat(webhooks.remove("ops", "admin")).isFalse();
  }

  @Test
  void addressesInsideTheNetworkAreNotReached() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    HttpServer inside =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    inside.createContext(
        "/",
        exchange -> {
          asked.incrementAndGet();
          int status = exchange.getRequestURI().getPath().equals("/away") ? 302 : 204;
          exchange.getResponseHeaders().add("Location", "/");
          exchange.sendResponseHeaders(status, -1);
          exchange.close();
        });
    inside.start();
    int port = inside.getAddress().getPort();
    try {
      HttpSender careful = new HttpSender(false);
      for (String host :
          List.of(
              "127.0.0.1",
              "localhost",
              "[::1]",
              "0.0.0.0",
              "169.254.169.254",
              "10.0.0.1",
              "192.168.1.1",
              "[fd00::1]",
              "[::ffff:127.0.0.1]",
              "100.64.0.1",
              "2130706433")) {
        assertThatThrownBy(
                () -> careful.send(URI.create("http://" + host + ":" + port + "/"), Map.of(), "{}"))
            .as(host)
            .isInstanceOf(IOException.class);
      }
      assertThat(asked).hasValue(0);
      HttpSender open = new HttpSender(true);
      open.send(URI.create("http://127.0.0.1:" + port + "/"), Map.of("Entente-Event", "x"), "{}");
      assertThat(asked).hasValue(1);
      assertThatThrownBy(
              () -> open.send(URI.create("http://127.0.0.1:" + port + "/away"), Map.of(), "{}"))
          .hasMessageContaining("302");
      assertThat(asked).as("redirections are not followed").hasValue(2);
    } finally {
      inside.stop(0);
    }
  }

  @Test
  void aMessageGoesByEMail() throws Exception {
    List<String> lines = new ArrayList<>();
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread taking = Thread.ofVirtual().start(() -> take(server, lines));
      MailSender sender =
          new MailSender(
              new MailSender.Config(
                  "127.0.0.1", server.getLocalPort(), "entente@example.org", "", "", false));
      sender.send(
          URI.create("mailto:ops@example.org"),
          Map.of("Entente-Event", "alert-raised"),
          "{\"what\":{\"summary\":\"disk\\r\\nBcc: eve@example.org\"}}");
      taking.join();
    }
    List<String> head = lines.subList(0, lines.indexOf(""));
    assertThat(head)
        .contains(
            "RCPT TO:<ops@example.org>", "Subject: Entente: alert-raised disk Bcc: eve@example.org")
        .noneMatch(line -> line.startsWith("Bcc:"))
        .noneMatch(line -> line.startsWith("RCPT") && line.contains("eve"));
  }

  /** As much of a mail server as it takes. */
  private static void take(ServerSocket server, List<String> lines) {
    try (Socket socket = server.accept();
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))) {
      say(socket, "220 ready");
      boolean data = false;
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        lines.add(line);
        if (data) {
          if (line.equals(".")) {
            data = false;
            say(socket, "250 taken");
          }
        } else if (line.startsWith("DATA")) {
          data = true;
          say(socket, "354 go on");
        } else {
          say(socket, line.startsWith("QUIT") ? "221 bye" : "250 ok");
        }
      }
    } catch (IOException e) {
      lines.add(e.toString());
    }
  }

  private static void say(Socket socket, String line) throws IOException {
    socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
  }
}
