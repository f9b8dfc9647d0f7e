// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.BugDetectors;
import com.code_intelligence.jazzer.api.SilentCloseable;
import com.code_intelligence.jazzer.junit.FuzzTest;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import dev.entente.cluster.HttpTransport;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import dev.entente.server.access.OpenId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever somebody without a credential sends: the node refuses it or closes the connection in
 * time, lets nobody in, fails at nothing and serves on.
 *
 * <p>The build runs the requests that are given here. With {@code JAZZER_FUZZ=1} in the environment
 * and one of the two named ({@code -Dtest=StrangerFuzzTest#bytesOnTheLine}), Jazzer goes on from
 * them, guided by what code they reach, for ten minutes; what it finds it keeps as a file beside
 * this class, and the build runs that too from then on.
 */
// Requests as they are on the line, with their carriage returns, are no text blocks.
@SuppressWarnings("StringConcatToTextBlock")
class StrangerFuzzTest {
  private static final String ISSUER = "https://id.example.org";
  private static final String SECRET = "what the nodes share";
  private static final int HTTP_VERSION_NOT_SUPPORTED = 505;
  private static final int WAITS_MILLIS = 20_000;
  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] (\\d{3})");

  private static final String HTTP2_PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

  /** GET of {@code /} from the host {@code x}, in the words of the static table. */
  private static final String HPACK_GET = "\u0082\u0086\u0084A\1x";

  /** From here on the table has 15 bytes. */
  private static final String HPACK_SMALL_TABLE = "/";

  /** A cookie of 5,000 letters, which is more than the table holds. */
  private static final String HPACK_COOKIE = "`\u007f\u0089&" + "c".repeat(5_000);

  private static final Queue<LogRecord> SAID = new ConcurrentLinkedQueue<>();

  private static final AtomicLong TOLD_OF_SCHEME = new AtomicLong();

  private static final Handler LISTENS =
      new Handler() {
        @Override
        public void publish(LogRecord line) {
          if (line.getLevel().intValue() >= Level.WARNING.intValue() && !isFirst(line)) {
            SAID.add(line);
          }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}

        // That clients speak the wrong scheme is said once in a minute, however many do.
        private boolean isFirst(LogRecord line) {
          return WrongScheme.class.getName().equals(line.getLoggerName())
              && TOLD_OF_SCHEME.getAndSet(line.getInstant().getEpochSecond())
                  <= line.getInstant().getEpochSecond() - 59;
        }
      };

  @TempDir private static Path folder;
  private static Served served;
  private static Node alone;
  private static Api api;
  private static long calls;

  @BeforeAll
  static void start() throws Exception {
    ECKey key = key();
    Path keys = folder.resolve("keys.json");
    Files.writeString(keys, new JWKSet(key.toPublicJWK()).toString());
    OpenId.Config provider = new OpenId.Config(ISSUER, "entente", keys.toString(), "sub");
    Peering peering = new Peering("", List.of(), SECRET);
    served = new Served(config -> config.believing(Optional.of(provider)));
    alone = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("alone"));
    api =
        new Api(
            alone,
            ServerConfig.of(0, Auth.newToken())
                .with(Optional.of(peering))
                .believing(Optional.of(provider)));
    api.open();
    Logger.getLogger("").addHandler(LISTENS);
  }

  @AfterAll
  static void stop() {
    Logger.getLogger("").removeHandler(LISTENS);
    served.close();
    alone.close();
  }

  private static ECKey key() throws Exception {
    return new ECKeyGenerator(Curve.P_256).keyID("k").generate();
  }

  /** A token that is in order but for who signed it. */
  @SuppressWarnings("JavaUtilDate") // The library's own type.
  private static String strangersToken() throws Exception {
    SignedJWT token =
        new SignedJWT(
            new JWSHeader.Builder(JWSAlgorithm.ES256).keyID("k").build(),
            new JWTClaimsSet.Builder()
                .issuer(ISSUER)
                .audience("entente")
                .subject("ann")
                .expirationTime(new Date(4_000_000_000_000L))
                .claim("entente", List.of("admin@*"))
                .build());
    token.sign(new ECDSASigner(key()));
    return token.serialize();
  }

  private static List<String> credentials() throws Exception {
    return List.of(
        "X-None: x",
        "Authorization: Bearer x",
        "Authorization: Basic eDp5",
        "Authorization: Bearer ent_0123456789abcdef_" + "0".repeat(48),
        "Authorization: Bearer " + strangersToken(),
        "Authorization: Bearer eyJhbGciOiJub25lIn0.e30.",
        "Cookie: a=b; entente-session=x; c=d",
        "Cookie: entente-session=x\r\nOrigin: http://x",
        "Entente-Forwarded: 1\r\nEntente-Actor: ann\r\nEntente-Grants: admin%40* writer%40main",
        "Entente-Forwarded: 1\r\nEntente-Relayed-Authorization: Bearer x",
        "Authorization: Bearer x\r\nEntente-Node: n1");
  }

  /** Requests that are in order but for the credential. */
  static Stream<Arguments> calls() throws Exception {
    List<Arguments> seeds = new ArrayList<>();
    for (String credential : credentials()) {
      for (String line :
          List.of(
              "GET /v1/main/records/doc/1?siblings=true",
              "POST /v1/main/sync",
              "GET /v1/whoami",
              "POST " + HttpTransport.PATH,
              "POST /session",
              "GET /nothing/here")) {
        seeds.add(bytes(line + "\r\n" + credential + "\r\nHost: x\r\n\r\n{\"token\":\"a.b.c\"}"));
      }
    }
    return seeds.stream();
  }

  /** Requests as they stand on the line. */
  static Stream<Arguments> requests() throws Exception {
    List<Arguments> seeds = new ArrayList<>();
    for (String credential : credentials()) {
      seeds.add(bytes("GET /v1/whoami HTTP/1.1\r\nHost: x\r\n" + credential + "\r\n\r\n"));
    }
    String json = "Host: x\r\nContent-Type: application/json\r\n";
    String post = "POST /session HTTP/1.1\r\n" + json;
    for (String text :
        List.of(
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET / HTTP/1.0\r\n\r\n",
            "GET /ui/app.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "GET /health/live HTTP/1.1\r\n"
                + "Host: x\r\n\r\n"
                + "GET /openapi.yaml HTTP/1.1\r\n"
                + "Host: x\r\n\r\n",
            "GET http://x/health/ready?a=b&a=%zz HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /%2e%2e/a%2Fb/%C0%80/+?q=%41;r#f HTTP/1.1\r\nHost: x:1\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET ?a HTTP/1.1\r\nHost: x\r\n\r\n",
            "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
            "DELETE /session HTTP/1.1\r\nHost: x\r\nCookie: entente-session=x\r\n\r\n",
            post + "Content-Length: 13\r\n\r\n{\"token\":\"x\"}",
            post + "Content-Length: 99\r\nExpect: 100-continue\r\n\r\n{\"token\":\"x\"}",
            post
                + "Transfer-Encoding: chunked\r\n\r\n"
                + "5;a=b\r\n"
                + "{\"tok\r\n"
                + "8\r\n"
                + "en\":\"x\"}\r\n"
                + "0\r\n"
                + "T: x\r\n\r\n",
            post + "Transfer-Encoding: gzip, chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\n"
                + "Host: x\r\n"
                + "Connection: Upgrade, HTTP2-Settings\r\n"
                + "Upgrade: h2c\r\n"
                + "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
            "GET / HTTP/1.1\r\n"
                + "Host: x\r\n"
                + "Connection: Upgrade\r\n"
                + "Upgrade: websocket\r\n"
                + "Sec-WebSocket-Key: AAAA\r\n"
                + "Sec-WebSocket-Version: 13\r\n\r\n",
            http2(frame(1, 5, 1, HPACK_GET)),
            http2(frame(1, 5, 1, HPACK_SMALL_TABLE + HPACK_GET)),
            http2(frame(1, 5, 1, HPACK_GET + HPACK_COOKIE)),
            http2(frame(1, 1, 1, HPACK_GET) + frame(9, 4, 1, HPACK_COOKIE)),
            http2(frame(6, 0, 0, "abcdefgh") + frame(3, 0, 1, "\0\0\0\b")),
            "\u0016\3\1\0\5\1\0\0\1\3",
            "\r\n\r\n")) {
      seeds.add(bytes(text));
    }
    return seeds.stream();
  }

  private static String http2(String frames) {
    return HTTP2_PREFACE + frame(4, 0, 0, "") + frames;
  }

  private static String frame(int type, int flags, int stream, String payload) {
    int length = payload.length();
    return ""
        + (char) 0
        + (char) (length >> 8)
        + (char) (length & 255)
        + (char) type
        + (char) flags
        + "\0\0\0"
        + (char) stream
        + payload;
  }

  private static Arguments bytes(String text) {
    return Arguments.of(
        (Object) text.replace("Host: x", "Host: localhost").getBytes(StandardCharsets.ISO_8859_1));
  }

  @MethodSource("requests")
  @FuzzTest(maxDuration = "10m")
  void bytesOnTheLine(byte[] sent) throws IOException {
    try (SilentCloseable _ = BugDetectors.allowNetworkConnections((_, to) -> to == served.port())) {
      refusedOrServed(new String(answer(sent), StandardCharsets.ISO_8859_1));
    }
  }

  private static void refusedOrServed(String answered) throws IOException {
    for (Matcher status = STATUS.matcher(answered); status.find(); ) {
      int code = Integer.parseInt(status.group(1));
      assertThat(code < 500 || code == HTTP_VERSION_NOT_SUPPORTED).as(answered).isTrue();
    }
    assertThat(served.node.position()).as("nothing was written").isZero();
    assertThat(served.raw("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")).endsWith("200");
    assertThat(SAID).as("nobody can fill the log").isEmpty();
  }

  /** All that comes back until the node closes, which it must do once the client has. */
  private static byte[] answer(byte[] sent) throws IOException {
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), served.port())) {
      socket.setSoTimeout(WAITS_MILLIS);
      try {
        socket.getOutputStream().write(sent);
        socket.shutdownOutput();
        socket.getInputStream().transferTo(answer);
      } catch (java.net.SocketException e) {
        // It has closed its side before all was sent.
        assertThat(e).isNotNull();
      }
    }
    return answer.toByteArray();
  }

  @MethodSource("calls")
  @FuzzTest(maxDuration = "10m")
  void callsOfNobody(byte[] sent) {
    String[] parts = new String(sent, StandardCharsets.UTF_8).split("\r\n\r\n", 2);
    String[] head = parts[0].split("\r\n", -1);
    String[] line = head[0].split("[ ?]", 3);
    if (line.length < 2 || !line[1].startsWith("/")) {
      return;
    }
    Map<String, String> headers = new HashMap<>();
    for (int i = 1; i < head.length; i++) {
      String[] header = head[i].split(":", 2);
      headers.put(header[0].strip().toLowerCase(Locale.ROOT), header[header.length - 1].strip());
    }
    Map<String, String> query = new HashMap<>();
    for (String pair : line.length < 3 ? new String[0] : line[2].split("&", -1)) {
      query.put(pair.split("=", 2)[0], pair.substring(pair.indexOf('=') + 1));
    }
    List<String> path = List.of(line[1].substring(1).split("/", -1));
    byte[] body = (parts.length < 2 ? "" : parts[1]).getBytes(StandardCharsets.UTF_8);
    // From another place each time: who guesses too often is refused without a look.
    Call.Peer peer = new Call.Peer(Long.toString(calls++), "");
    Reply reply = api.answer(path, new Call(line[0], Map.of(), query, headers, body, peer));
    assertThat(reply.status()).isLessThan(500);
    if (!isOpen(line[0], path)) {
      assertThat(reply.status()).as("who lets %s %s in", line[0], path).isIn(401, 405);
    }
    assertThat(alone.position()).as("nothing was written").isZero();
    assertThat(SAID).as("nobody can fill the log").isEmpty();
  }

  private static boolean isOpen(String method, List<String> path) {
    return api.routes().stream()
        .filter(route -> route.access() instanceof Route.Access.Anyone)
        .anyMatch(route -> route.method().equals(method) && route.match(path).isPresent());
  }
}
