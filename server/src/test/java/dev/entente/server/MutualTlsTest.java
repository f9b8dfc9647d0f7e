// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.Member;
import dev.entente.cluster.NodeTls;
import dev.entente.cluster.PullRequest;
import dev.entente.cluster.group.FreePort;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.store.MemoryStore;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lines between nodes are encrypted, and each node proves who it is. */
class MutualTlsTest {
  private static final String SECRET = "a secret of the cluster";
  private static final RecordKey KEY = new RecordKey("main", "note", "n");

  @TempDir Path folder;
  private final List<Node> nodes = new ArrayList<>();
  private final List<EntenteServer> servers = new ArrayList<>();
  private Certificates certificates;

  @BeforeEach
  void authority() throws Exception {
    certificates = new Certificates(folder.resolve("ca"));
    certificates.sign("eu");
    certificates.sign("us");
  }

  @AfterEach
  void close() {
    servers.forEach(EntenteServer::close);
    nodes.forEach(Node::close);
  }

  private NodeTls tls(Certificates by, String name) {
    return NodeTls.of(by.certificate(name), by.key(name), by.authority());
  }

  private int start(String name, Peering peering) throws IOException {
    Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT.withName(name));
    nodes.add(node);
    EntenteServer server =
        EntenteServer.start(node, "127.0.0.1", 0, Served.TOKEN, Optional.of(peering));
    servers.add(server);
    return server.port();
  }

  private Peering peering(String name, List<String> seeds) {
    return new Peering("", seeds, SECRET).withTls(tls(certificates, name));
  }

  private static PullRequest question(String name) {
    return new PullRequest(
        new NodeId(name + ".1"),
        Optional.empty(),
        0,
        VersionVector.EMPTY,
        1 << 10,
        0,
        0,
        List.of(),
        false);
  }

  private static void put(Node node) {
    Edit edit = new Edit.Put(JsonObject.of("v", Json.of(1)));
    node.write(WriteRequest.of(KEY, edit, new WriteRequest.Seen.Everything(), "ann")).join();
  }

  @Test
  void aVoterWhoseKeyTheLibraryDoesNotKnowSaysSo() throws Exception {
    certificates = new Certificates(folder.resolve("edwards"), "Ed25519");
    certificates.sign("eu");
    List<String> voters = List.of("eu=127.0.0.1:1");
    assertThatThrownBy(
            () -> start("eu", peering("eu", List.of()).withVoters(voters, folder.resolve("eu"))))
        .hasMessageContaining("EC or RSA keys");
  }

  @ParameterizedTest
  @ValueSource(strings = {"EC", "RSA"})
  void nodesWithCertificatesReplicateAndAgree(String algorithm) throws Exception {
    certificates = new Certificates(folder.resolve(algorithm), algorithm);
    certificates.sign("eu");
    certificates.sign("us");
    List<String> voters = new ArrayList<>();
    for (String name : List.of("eu", "us")) {
      voters.add(name + "=127.0.0.1:" + FreePort.find());
    }
    int eu = start("eu", peering("eu", List.of()).withVoters(voters, folder.resolve("eu")));
    start(
        "us",
        peering("us", List.of("https://127.0.0.1:" + eu)).withVoters(voters, folder.resolve("us")));
    put(nodes.getFirst());
    Served.eventually(() -> nodes.getLast().read(KEY).view().exists());
    HttpClient client =
        HttpClient.newBuilder().sslContext(NodeTls.trusting(certificates.authority())).build();
    HttpRequest lock =
        HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + eu + "/v1/main/locks"))
            .header("Authorization", "Bearer " + Served.TOKEN)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{\"lock\":\"disk\"}"))
            .build();
    Served.eventually(() -> status(client, lock) == 200);
  }

  private static int status(HttpClient client, HttpRequest request) {
    try {
      HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
      return answer.statusCode();
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  @Test
  void whoShowsNoCertificateOrThatOfAnotherIsNotANode() throws Exception {
    String url = "https://127.0.0.1:" + start("eu", peering("eu", List.of()));
    try (HttpTransport other = new HttpTransport(SECRET, Optional.of(tls(certificates, "us")))) {
      assertThat(other.pull(url, question("us")).shipment().from().name()).isEqualTo("eu");
      assertThatThrownBy(() -> other.pull(url, question("eu"))).hasMessageContaining("403");
    }
    HttpClient unproved =
        HttpClient.newBuilder().sslContext(NodeTls.trusting(certificates.authority())).build();
    HttpRequest known =
        HttpRequest.newBuilder(URI.create(url + "/v1/cluster/known"))
            .header("Authorization", "Bearer " + SECRET)
            .header(HttpTransport.NODE, "us.1")
            .build();
    assertThat(status(unproved, known)).as("the secret alone does not do").isEqualTo(403);
    assertThatThrownBy(() -> HttpClient.newHttpClient().send(known, BodyHandlers.ofString()))
        .as("nobody believes an authority they do not know")
        .isInstanceOf(SSLHandshakeException.class);
    Certificates forged = new Certificates(folder.resolve("forged"));
    forged.sign("us");
    NodeTls liar = NodeTls.of(forged.certificate("us"), forged.key("us"), certificates.authority());
    try (HttpTransport other = new HttpTransport(SECRET, Optional.of(liar))) {
      assertThatThrownBy(() -> other.pull(url, question("us"))).isInstanceOf(IOException.class);
    }
  }

  /** A certificate names its bearer, also where they give another name or none. */
  @Test
  void aRemovedNodeIsRefusedByItsCertificateWhateverItCallsItself() throws Exception {
    String url = "https://127.0.0.1:" + start("eu", peering("eu", List.of()));
    HttpClient client =
        HttpClient.newBuilder().sslContext(NodeTls.trusting(certificates.authority())).build();
    HttpClient proven =
        HttpClient.newBuilder().sslContext(tls(certificates, "us").context()).build();
    HttpRequest.Builder known =
        HttpRequest.newBuilder(URI.create(url + "/v1/cluster/known"))
            .header("Authorization", "Bearer " + SECRET);
    try (HttpTransport us = new HttpTransport(SECRET, Optional.of(tls(certificates, "us")))) {
      PullRequest asked = question("us");
      Member member = new Member(asked.from(), "https://127.0.0.1:1", 1, false, 1);
      PullRequest joins =
          new PullRequest(
              asked.from(),
              Optional.empty(),
              0,
              VersionVector.EMPTY,
              1 << 10,
              0,
              0,
              List.of(member),
              false);
      assertThat(us.pull(url, joins).shipment().from().name()).isEqualTo("eu");
      HttpRequest remove =
          HttpRequest.newBuilder(URI.create(url + "/v1/cluster/members/us"))
              .header("Authorization", "Bearer " + Served.TOKEN)
              .DELETE()
              .build();
      assertThat(status(client, remove)).isEqualTo(200);
      assertThatThrownBy(() -> us.pull(url, joins)).hasMessageContaining("readmit us");
    }
    assertThat(status(proven, known.copy().build())).as("without a name").isEqualTo(403);
    for (String name : List.of("us.1", "us.2", "us", "eu.1", "asia.1")) {
      assertThat(status(proven, known.copy().header(HttpTransport.NODE, name).build()))
          .as(name)
          .isEqualTo(403);
    }
  }

  @Test
  void aCertificateThatIsOverProvesNothingAtEitherEnd() throws Exception {
    String good = "https://127.0.0.1:" + start("eu", peering("eu", List.of()));
    certificates.signExpired("asia");
    try (HttpTransport asia = new HttpTransport(SECRET, Optional.of(tls(certificates, "asia")))) {
      assertThatThrownBy(() -> asia.pull(good, question("asia"))).isInstanceOf(IOException.class);
    }
    try (HttpTransport us = new HttpTransport(SECRET, Optional.of(tls(certificates, "us")))) {
      assertThat(us.pull(good, question("us")).shipment().from().name()).isEqualTo("eu");
      certificates.signExpired("eu");
      String stale = "https://127.0.0.1:" + start("eu", peering("eu", List.of()));
      assertThatThrownBy(() -> us.pull(stale, question("us")))
          .hasMessageContaining("certificate_expired");
    }
  }

  @Test
  void aCertificateThatIsReplacedOnDiskIsUsedFromThenOn() throws Exception {
    String url = "https://127.0.0.1:" + start("eu", peering("eu", List.of()));
    Map<String, byte[]> first = Map.of("serial", serial(url));
    certificates.sign("eu");
    for (Path file : List.of(certificates.certificate("eu"), certificates.key("eu"))) {
      Files.setLastModifiedTime(file, FileTime.fromMillis(System.currentTimeMillis() + 5_000));
    }
    Served.eventually(() -> !java.util.Arrays.equals(first.get("serial"), serial(url)));
  }

  private byte[] serial(String url) {
    try {
      HttpClient client =
          HttpClient.newBuilder().sslContext(NodeTls.trusting(certificates.authority())).build();
      HttpResponse<String> answer =
          client.send(
              HttpRequest.newBuilder(URI.create(url + "/health/live")).build(),
              BodyHandlers.ofString());
      return answer.sslSession().orElseThrow().getPeerCertificates()[0].getEncoded();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void votersOnANetworkWithoutCertificatesAreRefused() {
    Peering open =
        new Peering("", List.of(), SECRET)
            .withVoters(List.of("eu=127.0.0.1:1", "us=192.0.2.1:7500"), folder.resolve("eu"));
    assertThatThrownBy(() -> start("eu", open))
        .hasMessageContaining("us are reached over a network");
  }
}
