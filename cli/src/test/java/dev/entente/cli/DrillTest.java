// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.cluster.NodeTls;
import dev.entente.cluster.group.FreePort;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.json.JsonReader;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.LogTail;
import dev.entente.engine.store.RocksStore;
import dev.entente.engine.store.Table;
import dev.entente.server.Certificates;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What operators should have done once before they need it, with real processes. */
class DrillTest {
  private static final String PATH = "/v1/main/records/note/n";
  @TempDir Path folder;
  private final List<RealNode> nodes = new ArrayList<>();

  @AfterEach
  void end() throws InterruptedException {
    for (RealNode node : nodes) {
      node.kill();
    }
  }

  private RealNode start(String name, String... options) throws IOException {
    RealNode node =
        RealNode.start(
            folder.resolve(name), Map.of("ENTENTE_SECRET", "a secret of the cluster"), options);
    nodes.add(node);
    return node;
  }

  /** Something that may throw. */
  @FunctionalInterface
  private interface Check {
    boolean holds() throws IOException, InterruptedException;
  }

  private static void within(Duration limit, Check check) throws IOException, InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    while (!check.holds()) {
      assertThat(System.nanoTime()).as("within " + limit).isLessThan(end);
      Thread.sleep(20);
    }
  }

  private static JsonObject json(String body) {
    return (JsonObject) JsonReader.strict().read(body);
  }

  private static String text(JsonObject object, String name) {
    return ((JsonString) object.get(name)).value();
  }

  @Test
  void aTokenThatIsRevokedAtOneNodeIsGoodAtNone() throws Exception {
    String port = String.valueOf(FreePort.find());
    RealNode a = start("a", "--port", port, "--name", "a");
    RealNode b = start("b", "--port", "0", "--name", "b", "--peers", "http://127.0.0.1:" + port);
    a.send("PUT", "/v1/cluster/accounts/ann", "{\"grants\":[\"writer@main\"]}");
    JsonObject issued =
        json(a.send("POST", "/v1/cluster/accounts/ann/tokens", "{\"note\":\"drill\"}").body());
    String[] ann = {"Authorization", "Bearer " + text(issued, "token")};
    within(Duration.ofSeconds(20), () -> b.sendSoon("PUT", PATH, "{}", ann).statusCode() < 300);
    String token = "/v1/cluster/accounts/ann/tokens/" + text(issued, "id");
    assertThat(a.send("DELETE", token, "").statusCode()).isEqualTo(200);
    assertThat(a.sendSoon("PUT", PATH, "{}", ann).statusCode()).isEqualTo(401);
    within(Duration.ofSeconds(5), () -> b.sendSoon("PUT", PATH, "{}", ann).statusCode() == 401);
  }

  /** Lets go of all versions but the last ones; returns the job that did. */
  private static String prune(RealNode node) throws IOException, InterruptedException {
    String body = "{\"before\":\"" + Instant.now().plusSeconds(1) + "\"}";
    JsonObject begun = json(node.send("POST", "/v1/main/retention/runs", body).body());
    String path = "/v1/main/jobs/" + text(begun, "id");
    within(
        Duration.ofSeconds(20), () -> !node.send("GET", path, "").body().contains("\"running\""));
    return node.send("GET", path, "").body();
  }

  @Test
  void oldVersionsGoOnceEveryNodeHasThemAndNobodyMissesThem() throws Exception {
    String port = String.valueOf(FreePort.find());
    String[] seeds = {"--port", "0", "--peers", "http://127.0.0.1:" + port, "--name"};
    RealNode a = start("a", "--port", port, "--name", "a");
    for (int i = 0; i < 100; i++) {
      a.send("PUT", "/v1/main/records/note/n" + i % 10, "{\"v\":" + i + "}");
    }
    assertThat(prune(a)).contains("\"changed\":90");
    RealNode b = start("b", append(seeds, "b"));
    for (int i = 100; i < 200; i++) {
      a.send("PUT", "/v1/main/records/note/n" + i % 10, "{\"v\":" + i + "}");
    }
    String last = "/v1/main/records/note/n9";
    within(Duration.ofSeconds(20), () -> b.send("GET", last, "").body().contains("199"));
    assertThat(prune(a)).as("b has not said that it has them").contains("have not said", "[b.");
    prune(b);
    within(Duration.ofSeconds(20), () -> prune(a).contains("\"failed\":0"));
    assertThat(a.send("GET", "/v1/main/changes?limit=1000", "").body().lines()).hasSize(10);
    a.kill();
    RealNode again = start("a", "--port", port, "--name", "a");
    assertThat(again.send("GET", last, "").body()).contains("199");
    RealNode late = start("c", append(seeds, "c"));
    within(Duration.ofSeconds(20), () -> late.send("GET", last, "").body().contains("199"));
    for (RealNode node : List.of(again, b, late)) {
      assertThat(node.send("POST", "/v1/verify", "").body()).contains("\"intact\":true");
    }
    again.send("PUT", last, "{\"v\":\"on\"}");
    within(Duration.ofSeconds(20), () -> late.send("GET", last, "").body().contains("\"on\""));
  }

  @Test
  void whatSomebodyAskedToBeForgottenIsOnNoDiskAnyMore() throws Exception {
    String port = String.valueOf(FreePort.find());
    String[] ofB = {"--port", "0", "--peers", "http://127.0.0.1:" + port, "--name", "b"};
    RealNode a = start("a", "--port", port, "--name", "a");
    RealNode before = start("b", ofB);
    String patient = "/v1/main/records/patient/p7";
    for (int i = 0; i < 3; i++) {
      a.send("PUT", patient, "{\"name\":\"Rosalind Quillon\",\"visit\":" + i + "}");
    }
    within(
        Duration.ofSeconds(20),
        () -> before.send("GET", patient, "").body().contains("\"visit\":2"));
    assertThat(filesThatHold("Rosalind Quillon")).hasSizeGreaterThan(1);
    before.kill();
    String erasure = patient + "/erasure";
    assertThat(a.send("POST", erasure, "{\"reason\":\"request 12\"}").statusCode()).isEqualTo(202);
    assertThat(a.send("GET", patient, "").statusCode()).isEqualTo(404);
    assertThat(a.send("GET", erasure, "").body()).contains("\"waiting\"", "[\"b.");
    RealNode b = start("b", ofB);
    for (RealNode node : List.of(a, b)) {
      within(
          Duration.ofSeconds(40), () -> node.send("GET", erasure, "").body().contains("\"done\""));
      assertThat(node.send("GET", patient, "").statusCode()).isEqualTo(404);
      assertThat(node.send("POST", "/v1/verify", "").body()).contains("\"intact\":true");
    }
    assertThat(filesThatHold("Rosalind Quillon")).isEmpty();
  }

  private List<Path> filesThatHold(String text) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(text)) {
          found.add(file);
        }
      }
    }
    return found;
  }

  private static String[] append(String[] some, String more) {
    List<String> all = new ArrayList<>(List.of(some));
    all.add(more);
    return all.toArray(String[]::new);
  }

  @Test
  void aNodeThatLostItsDiskComesBackFromItsLastCheckpoint() throws Exception {
    RealNode before = start("a", "--port", "0", "--name", "a");
    for (int i = 0; i < 50; i++) {
      before.send("PUT", "/v1/main/records/note/n" + i, "{\"v\":" + i + "}");
    }
    assertThat(before.send("POST", "/v1/cluster/checkpoints", "{}").statusCode()).isEqualTo(201);
    JsonArray kept =
        (JsonArray)
            json(before.send("GET", "/v1/cluster/checkpoints", "").body()).get("checkpoints");
    String name = text((JsonObject) kept.items().getFirst(), "name");
    before.send("PUT", "/v1/main/records/note/late", "{}");
    before.kill();
    Path checkpoint = folder.resolve("a").resolve("checkpoints").resolve(name);
    Folders.delete(folder.resolve("a").resolve("store"));
    int restored =
        new CommandLine(new RecoveryCommands.Restore())
            .execute("--from", checkpoint.toString(), "--into", folder.resolve("again").toString());
    assertThat(restored).isEqualTo(ExitCodes.OK);
    RealNode after = start("again", "--port", "0");
    for (int i = 0; i < 50; i++) {
      assertThat(after.send("GET", "/v1/main/records/note/n" + i, "").body())
          .contains("{\"v\":" + i + "}");
    }
    assertThat(after.send("GET", "/v1/main/records/note/late", "").statusCode()).isEqualTo(404);
    assertThat(after.send("PUT", "/v1/main/records/note/late", "{}").body())
        .as("under its next incarnation, so that no number is given twice")
        .contains("applied");
    assertThat(after.send("GET", "/v1/cluster", "").body()).doesNotContain("\"node\":\"a.1\"");
    assertThat(after.send("POST", "/v1/verify", "").body()).contains("\"intact\":true");
  }

  @Test
  void certificatesAreReplacedWhileBothNodesServe() throws Exception {
    Certificates certificates = new Certificates(folder.resolve("keys"));
    for (String name : List.of("a", "b", "client")) {
      certificates.sign(name);
    }
    NodeTls mine =
        NodeTls.of(
            certificates.certificate("client"),
            certificates.key("client"),
            certificates.authority());
    HttpClient client = HttpClient.newBuilder().sslContext(mine.context()).build();
    String port = String.valueOf(FreePort.find());
    RealNode a = secured(certificates, client, "a", "--port", port);
    RealNode b =
        secured(certificates, client, "b", "--port", "0", "--peers", "https://127.0.0.1:" + port);
    within(Duration.ofSeconds(20), () -> inStep(a) && inStep(b));
    List<String> failed = Collections.synchronizedList(new ArrayList<>());
    AtomicBoolean loading = new AtomicBoolean(true);
    AtomicInteger written = new AtomicInteger();
    List<Thread> writers =
        List.of(a, b).stream()
            .map(node ->
                Thread.ofVirtual()
                    .start(() -> {
                      while (loading.get()) {
                        try {
                          int status = node.send("PUT", PATH, "{}").statusCode();
                          if (status >= 300) {
                            failed.add("status " + status);
                          }
                          written.incrementAndGet();
                        } catch (IOException e) {
                          failed.add(e.toString());
                        } catch (InterruptedException e) {
                          Thread.currentThread().interrupt();
                          return;
                        }
                      }
                    }))
            .toList();
    List<String> before = List.of(serial(certificates, a), serial(certificates, b));
    certificates.sign("a");
    certificates.sign("b");
    within(
        Duration.ofSeconds(20),
        () ->
            !serial(certificates, a).equals(before.getFirst())
                && !serial(certificates, b).equals(before.getLast()));
    int soFar = written.get();
    within(Duration.ofSeconds(20), () -> written.get() > soFar + 100);
    loading.set(false);
    for (Thread writer : writers) {
      writer.join();
    }
    assertThat(failed).isEmpty();
    within(Duration.ofSeconds(20), () -> inStep(a) && inStep(b));
  }

  private RealNode secured(
      Certificates certificates, HttpClient client, String name, String... options)
      throws IOException {
    List<String> all = new ArrayList<>(List.of(options));
    all.addAll(
        List.of(
            "--name",
            name,
            "--tls-cert",
            certificates.certificate(name).toString(),
            "--tls-key",
            certificates.key(name).toString(),
            "--tls-ca",
            certificates.authority().toString()));
    RealNode node =
        RealNode.start(
            List.of(),
            client,
            folder.resolve(name),
            Map.of("ENTENTE_SECRET", "a secret of the cluster"),
            all.toArray(String[]::new));
    nodes.add(node);
    return node;
  }

  private static boolean inStep(RealNode node) throws IOException, InterruptedException {
    return node.send("GET", "/v1/cluster", "").body().contains("\"state\":\"in-step\"");
  }

  /** Which certificate a node shows to somebody new. */
  private static String serial(Certificates certificates, RealNode node)
      throws IOException, InterruptedException {
    try (HttpClient fresh =
        HttpClient.newBuilder().sslContext(NodeTls.trusting(certificates.authority())).build()) {
      Certificate shown =
          fresh
              .send(
                  HttpRequest.newBuilder(URI.create(node.url() + "/health/live")).build(),
                  BodyHandlers.ofString())
              .sslSession()
              .orElseThrow()
              .getPeerCertificates()[0];
      return ((X509Certificate) shown).getSerialNumber().toString();
    }
  }

  @Test
  void statesThatAreDamagedAreWorkedOutAgain() throws Exception {
    RealNode before = start("a", "--port", "0", "--name", "a");
    before.send("PUT", PATH, "{\"v\":1}");
    before.kill();
    Path data = folder.resolve("a");
    int sound = new CommandLine(new RebuildCommand()).execute("--data", data.toString());
    assertThat(sound).isEqualTo(ExitCodes.OK);
    try (var store = RocksStore.open(data.resolve("store"))) {
      store.clear(Table.RECORDS);
    }
    String[] check = {"--data", data.toString(), "--check"};
    assertThat(new CommandLine(new RebuildCommand()).execute(check))
        .isEqualTo(ExitCodes.NEEDS_REVIEW);
    assertThat(new CommandLine(new RebuildCommand()).execute("--data", data.toString()))
        .isEqualTo(ExitCodes.OK);
    RealNode after = start("a", "--port", "0");
    assertThat(after.send("GET", PATH, "").body()).contains("{\"v\":1}");
  }

  @Test
  void theWriteThatWasUnderWayWhenTheDiskFailedIsCutOff() throws Exception {
    RealNode before = start("a", "--port", "0", "--name", "a");
    before.send("PUT", PATH, "{\"v\":1}");
    before.send("PUT", PATH, "{\"v\":2,\"long\":\"" + "x".repeat(9_000) + "\"}");
    Path data = folder.resolve("a");
    Path log = log(data.resolve("store"));
    long end = Files.size(log);
    LogTail asIfItHadFailed = new LogTail(log, 0, end, true);
    assertThatThrownBy(() -> asIfItHadFailed.cut(folder.resolve("cut")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("something has the store open");
    before.kill();
    try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "rw")) {
      file.seek(end - 200);
      file.write(new byte[100]);
    }
    Ran refused = Ran.at(before, folder, "serve --port 0 --data " + data);
    assertThat(refused.code()).isEqualTo(ExitCodes.FAILED);
    assertThat(refused.output()).contains("the data is damaged", "entente rebuild --check");

    Ran looked = Ran.at(before, folder, "rebuild --check --data " + data);
    assertThat(looked.code()).isEqualTo(ExitCodes.NEEDS_REVIEW);
    assertThat(looked.output()).contains("Nothing whole comes after that", "--cut-log");
    assertThat(log).hasSize(end);

    Ran cut = Ran.at(before, folder, "rebuild --cut-log --data " + data);
    assertThat(cut.code()).as(cut.output()).isEqualTo(ExitCodes.OK);
    assertThat(cut.output()).contains("kept in", "0 not what their versions say", "start it");
    RealNode after = start("a", "--port", "0");
    assertThat(after.send("GET", PATH, "").body()).contains("{\"v\":1}");
    after.send("PUT", PATH, "{\"v\":3}");
    JsonArray versions =
        (JsonArray) json(after.send("GET", PATH + "/history", "").body()).get("versions");
    assertThat(versions.items().stream().map(version -> text((JsonObject) version, "node")))
        .as("it gives no number that it gave before")
        .hasSize(2)
        .doesNotHaveDuplicates();
  }

  @Test
  void damageBeforeWholeWritesIsLeftToABackup() throws Exception {
    RealNode before = start("a", "--port", "0", "--name", "a");
    before.send("PUT", PATH, "{\"v\":1}");
    Path data = folder.resolve("a");
    Path log = log(data.resolve("store"));
    long early = Files.size(log);
    before.send("PUT", PATH, "{\"v\":2}");
    before.kill();
    try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "rw")) {
      file.seek(early - 20);
      file.write(new byte[10]);
    }
    long end = Files.size(log);
    Ran refused = Ran.at(before, folder, "rebuild --cut-log --data " + data);
    assertThat(refused.code()).isEqualTo(ExitCodes.FAILED);
    assertThat(refused.output()).contains("Whole writes come after that", "entente restore");
    assertThat(log).hasSize(end);
  }

  private static Path log(Path store) throws IOException {
    try (Stream<Path> files = Files.list(store)) {
      return files
          .filter(file -> file.toString().endsWith(".log"))
          .max(Path::compareTo)
          .orElseThrow();
    }
  }
}
