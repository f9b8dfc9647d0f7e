// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.cluster.group.FreePort;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.json.JsonReader;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.RocksStore;
import dev.entente.engine.store.Table;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
}
