// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every command of the runbook runs as it stands, in its order, on a node in trouble. */
class RunbookTest {
  @TempDir Path folder;
  private RealNode node;

  @BeforeEach
  void start() throws Exception {
    node =
        RealNode.start(
            folder.resolve("data"),
            Map.of("ENTENTE_SECRET", "the secret of the runbook"),
            "--port",
            "0");
    for (int i = 0; i < 12; i++) {
      String path = "/v1/main/records/note/n" + i;
      node.send("PUT", path, "{\"v\":0}");
      String read = node.send("GET", path, "").body();
      Matcher context = Pattern.compile("\"context\":\"([^\"]+)\"").matcher(read);
      assertThat(context.find()).isTrue();
      for (int v = 1; v < 3; v++) {
        node.sendSoon("PUT", path, "{\"v\":" + v + "}", "Entente-Context", context.group(1));
      }
    }
  }

  @AfterEach
  void end() throws InterruptedException {
    node.kill();
  }

  private static List<String> commands() throws IOException {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("docs/runbook.md"))) {
      root = root.getParent();
    }
    return Files.readAllLines(root.resolve("docs/runbook.md")).stream()
        .filter(line -> line.startsWith("    bin/entente "))
        .map(line -> line.strip().replaceAll("\\s+#.*$", "").substring("bin/entente ".length()))
        .toList();
  }

  private Ran run(String command) throws IOException, InterruptedException {
    return Ran.at(node, folder, command);
  }

  @Test
  void everyCommandRuns() throws Exception {
    List<String> commands = commands();
    assertThat(commands).hasSizeGreaterThan(30);
    String checkpoint = run("checkpoint").output().strip();
    List<String> failed = new ArrayList<>();
    for (String command : commands) {
      Ran ran = run(command.replace("CHECKPOINT", checkpoint));
      if (ran.code() > ExitCodes.NEEDS_REVIEW || ran.output().contains("Exception")) {
        failed.add(command + " ended with " + ran.code() + ":\n" + ran.output());
      }
    }
    assertThat(failed).isEmpty();
    assertThat(node.send("GET", "/v1/main/reviews", "").body())
        .as("what waited is settled")
        .contains("\"total\":0");
    assertThat(Files.readString(folder.resolve("incident.json"))).contains("\"freeze\"");
    assertThat(folder.resolve("restored/store")).exists();
  }

  @Test
  void anIncidentIsContainedResolvedAndRestored() throws Exception {
    Ran situation = run("incident");
    assertThat(situation.output()).contains("12  note").contains("--contain --type note");
    assertThat(run("incident --contain").output()).contains("Say --yes");
    run("incident --contain --yes");
    assertThat(node.send("PUT", "/v1/main/records/note/n1", "{}").statusCode()).isEqualTo(423);
    // A decision is a write: what is frozen is not decided either.
    assertThat(run("incident --resolve highest-value --yes").output())
        .contains("main/note is frozen");
    run("thaw note");
    Ran resolved = run("incident --resolve highest-value --yes");
    assertThat(resolved.output()).contains("would change 12").contains("changed 12");
    run("incident --contain --yes");
    assertThat(node.send("PUT", "/v1/main/records/note/n1", "{}").statusCode()).isEqualTo(423);
    Ran restored = run("incident --restore");
    assertThat(restored.output())
        .contains("The audit log is intact")
        .contains("note is thawed; 1 writes were refused meanwhile");
    assertThat(node.send("PUT", "/v1/main/records/note/n1", "{}").statusCode()).isEqualTo(200);
  }

  @Test
  void aSealedBackupOpensUnderItsPassphraseOnlyAndComesBack() throws Exception {
    Folders.createFile(folder.resolve("phrase"));
    Folders.createFile(folder.resolve("wrong"));
    Files.writeString(folder.resolve("phrase"), "a passphrase of some length");
    Files.writeString(folder.resolve("wrong"), "another passphrase of some length");
    Ran made = run("backup b.entente --passphrase-file phrase");
    assertThat(made.output()).contains("b.entente: whole, of ");
    assertThat(Files.readAllBytes(folder.resolve("b.entente")))
        .startsWith("entente sealed 1".getBytes(StandardCharsets.US_ASCII));
    assertThat(run("backup b.entente --check --passphrase-file wrong").code()).isNotZero();
    assertThat(run("backup b.entente --check").output()).contains("is sealed");
    byte[] bytes = Files.readAllBytes(folder.resolve("b.entente"));
    bytes[bytes.length / 2] ^= 1;
    Files.write(folder.resolve("flipped.entente"), bytes);
    assertThat(run("backup flipped.entente --check --passphrase-file phrase").code()).isNotZero();
    Files.createDirectory(folder.resolve("mine"));
    for (String refused :
        List.of(
            "flipped.entente --into nothing --passphrase-file phrase",
            "b.entente --into nothing",
            "flipped.entente --into mine --passphrase-file phrase")) {
      assertThat(run("restore --from " + refused).code()).as(refused).isNotZero();
    }
    assertThat(folder.resolve("nothing")).doesNotExist();
    assertThat(folder.resolve("mine")).isEmptyDirectory();
    Ran restored = run("restore --from b.entente --into back --passphrase-file phrase");
    assertThat(restored.output()).contains("all intact");
    node.kill();
    node = RealNode.start(folder.resolve("back"), Map.of(), "--port", "0");
    assertThat(node.send("GET", "/v1/main/records/note/n3", "").statusCode()).isEqualTo(200);
  }
}
