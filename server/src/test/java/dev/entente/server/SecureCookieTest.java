// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.NodeTls;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Under TLS the cookie of a session is sent back under TLS only, when it is set and removed. */
class SecureCookieTest {
  private static final String SECRET = "a secret of the cluster";

  @TempDir Path folder;

  private static String cookie(HttpClient http, HttpRequest request) throws Exception {
    HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return answer.headers().firstValue("set-cookie").orElseThrow();
  }

  @Test
  void theCookieOfASessionIsSecureUnderTls() throws Exception {
    Certificates certificates = new Certificates(folder);
    certificates.sign("eu");
    NodeTls tls =
        NodeTls.of(
            certificates.certificate("eu"), certificates.key("eu"), certificates.authority());
    Peering peering = new Peering("", List.of(), SECRET).withTls(tls);
    try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName("eu"));
        EntenteServer server =
            EntenteServer.start(node, "127.0.0.1", 0, Served.TOKEN, Optional.of(peering));
        HttpClient http =
            HttpClient.newBuilder()
                .sslContext(NodeTls.trusting(certificates.authority()))
                .build()) {
      String url = "https://127.0.0.1:" + server.port();
      HttpRequest.Builder session =
          HttpRequest.newBuilder(URI.create(url + "/session"))
              .header("Content-Type", "application/json")
              .header("Origin", url);
      String body = "{\"token\":\"" + Served.TOKEN + "\"}";
      String signedIn = cookie(http, session.copy().POST(BodyPublishers.ofString(body)).build());
      assertThat(signedIn).contains("; Secure", "HttpOnly", "SameSite=Strict");
      String value = signedIn.substring(0, signedIn.indexOf(';'));
      String out = cookie(http, session.copy().header("Cookie", value).DELETE().build());
      assertThat(out).contains("; Secure", "Max-Age=0");
    }
  }
}
