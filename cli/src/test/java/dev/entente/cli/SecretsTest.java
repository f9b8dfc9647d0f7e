// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.group.FreePort;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node as it is when nobody says anything: what it keeps secret, and from whom. */
class SecretsTest {
  private @TempDir Path temp;
  private final HttpClient http = HttpClient.newHttpClient();
  private Process process;
  private final StringBuilder said = new StringBuilder();
  private String url = "";

  /** A folder that everybody may look into, as an administrator would make it. */
  @BeforeEach
  void makeData() throws IOException {
    Files.createDirectory(
        data(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
  }

  @AfterEach
  void stop() throws InterruptedException {
    if (process != null) {
      process.destroyForcibly().waitFor();
    }
  }

  private Path data() {
    return temp.resolve("data");
  }

  private Path log() {
    return temp.resolve("log");
  }

  private void serve(Map<String, String> environment, String... options) throws IOException {
    List<String> command = Jvm.entente();
    command.addAll(List.of("serve", "--port=0", "--data=" + data()));
    command.addAll(List.of(options));
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(log().toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("ENTENTE_"));
    builder.environment().putAll(environment);
    process = builder.start();
    BufferedReader out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = out.readLine();
    while (line != null && !line.contains("ready at")) {
      said.append(line).append('\n');
      line = out.readLine();
    }
    assertThat(line).as("the node starts: " + Files.readString(log())).isNotNull();
    url = line.substring(line.indexOf("http")).replaceAll("/\\s*$", "");
  }

  private String send(String token, String method, String path, String body)
      throws IOException, InterruptedException {
    return http.send(
            HttpRequest.newBuilder(URI.create(url + path))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/json")
                .method(method, BodyPublishers.ofString(body))
                .build(),
            BodyHandlers.ofString())
        .body();
  }

  private static String field(String json, String name) {
    return json.replaceAll("(?s).*\"" + name + "\":\"([^\"]+)\".*", "$1");
  }

  @Test
  void aFirstStartListensHereOnlyAndMakesATokenNobodyCanGuess() throws Exception {
    serve(Map.of());
    assertThat(url).startsWith("http://127.0.0.1:");
    String token = Files.readString(data().resolve("token")).strip();
    assertThat(token).hasSizeGreaterThanOrEqualTo(32);
    assertThat(said).contains(token);
    for (String guess : List.of("", "admin", "password", "token", "entente")) {
      assertThat(send(guess, "GET", "/v1/status", "")).contains("unauthorized");
    }
    assertThat(send(token, "GET", "/v1/status", "")).doesNotContain("unauthorized");
    assertThat(Files.readString(log())).doesNotContain("Not encrypted").doesNotContain(token);
  }

  @Test
  void whatIsNotEncryptedIsSaidWhereOthersCanReachIt() throws Exception {
    serve(Map.of("ENTENTE_HOST", "0.0.0.0", "ENTENTE_INSECURE_HTTP", "true"));
    assertThat(Files.readString(log())).contains("Not encrypted").contains("--tls-cert");
  }

  @Test
  void onlyWhoRunsItMayReadWhatItKeeps() throws Exception {
    serve(
        Map.of("ENTENTE_SECRET", "a secret among nodes"),
        "--name=eu",
        "--voters=eu=127.0.0.1:" + FreePort.find());
    String token = Files.readString(data().resolve("token")).strip();
    assertThat(send(token, "POST", "/v1/cluster/checkpoints", "")).contains("\"name\"");
    assertThat(data().resolve("checkpoints")).isDirectory();
    assertThat(data().resolve("group")).isDirectory();
    assertThat(mode(data().resolve("token"))).isEqualTo("rw-------");
    try (Stream<Path> kept = Files.list(data())) {
      assertThat(kept)
          .isNotEmpty()
          .allSatisfy(
              each -> assertThat(mode(each)).as(each.toString()).matches("rw-------|rwx------"));
    }
  }

  private static String mode(Path file) {
    try {
      return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void noSecretIsSaidInALogAFigureOrAProcessList() throws Exception {
    String admin = "planted-administrator";
    String shared = "planted-among-the-nodes";
    String mail = "planted-for-the-mail";
    serve(
        Map.of(
            "ENTENTE_TOKEN", admin,
            "ENTENTE_SECRET", shared,
            "ENTENTE_SMTP_PASSWORD", mail),
        "--log=json",
        "--log-level=debug",
        "--smtp-host=127.0.0.1",
        "--smtp-from=a@b.example",
        "--smtp-user=u");
    send(admin, "PUT", "/v1/cluster/accounts/ann", "{\"grants\":[\"admin@*\"]}");
    String token = field(send(admin, "POST", "/v1/cluster/accounts/ann/tokens", "{}"), "token");
    String hook =
        field(
            send(admin, "PUT", "/v1/cluster/webhooks/ops", "{\"url\":\"http://127.0.0.1:1/\"}"),
            "secret");
    assertThat(token).startsWith("ent_");
    assertThat(hook).startsWith("whsec_");
    StringBuilder seen = new StringBuilder();
    for (String path :
        List.of(
            "/v1/status",
            "/v1/cluster",
            "/v1/cluster/accounts/ann",
            "/v1/cluster/audit",
            "/v1/cluster/alerts",
            "/v1/cluster/webhooks/ops",
            "/metrics")) {
      seen.append(send(token, "GET", path, ""));
    }
    seen.append(send(token, "POST", "/session", "{\"token\":\"" + token + "\""));
    seen.append(send(token, "POST", "/session", "{\"token\":\"planted-by-mistake\"}"));
    seen.append(send("planted-by-mistake", "GET", "/v1/status", ""));
    seen.append(send(shared + "?", "POST", "/v1/cluster/pull", ""));
    seen.append(send(admin, "POST", "/v1/cluster/webhooks/ops/test", "{}"));
    seen.append(process.info().commandLine().orElse(""));
    process.destroy();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    seen.append(Files.readString(log())).append(said);
    assertThat(seen.toString())
        .contains("ann")
        .doesNotContain("planted-")
        .doesNotContain(token.substring(21))
        .doesNotContain(hook);
  }
}
