// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Security settings of the other commands have their effect, or are refused. */
class CommandSettingsTest {
  @TempDir Path folder;

  private static void refused(Map<String, String> environment, String part, String... arguments) {
    StringWriter err = new StringWriter();
    int code =
        Main.commands()
            .setDefaultValueProvider(new Settings(List.of(arguments), environment))
            .setExecutionExceptionHandler(Main::explained)
            .setErr(new PrintWriter(err, true))
            .execute(arguments);
    assertThat(err.toString()).contains(part).doesNotContain("Exception");
    assertThat(code).isEqualTo(ExitCodes.BAD_INPUT);
  }

  @Test
  void aPassphraseForABackupThatIsNotSealedIsRefused() throws IOException {
    Path backup = Files.writeString(folder.resolve("backup"), "a backup that is not sealed");
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> BackupFile.open(backup, Optional.of("a passphrase of some length")))
        .withMessageContaining("not sealed");
  }

  @Test
  void aPassphraseThatIsShortOrExposedIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("phrase"), "a passphrase of some length");
    file.toFile().setReadable(true, false);
    String option = "--passphrase-file=" + file;
    refused(Map.of(), "chmod 600 " + file, "backup", folder.resolve("b").toString(), option);
    Path brief = Folders.createFile(folder.resolve("brief"));
    Files.writeString(brief, "short");
    refused(
        Map.of(),
        "12 characters",
        "backup",
        folder.resolve("b").toString(),
        "--passphrase-file=" + brief);
  }

  @Test
  void aTokenOfTheDemoThatIsEmptyMisspeltOrUnusableIsRefused() {
    refused(Map.of("ENTENTE_TOKEN", " "), "ENTENTE_TOKEN is empty", "demo", "--port=0");
    refused(Map.of("ENTENTE_TOKENS", "x"), "ENTENTE_TOKENS", "demo", "--port=0");
    refused(Map.of("ENTENTE_TOKEN", "a b"), "ENTENTE_TOKEN", "demo", "--port=0");
  }

  @Test
  void whatIsNoSignedEndIsNotSentToANode() throws IOException {
    for (String text : List.of("a private key", "{}", "{\"key\":\"x\"}", "[1]", "")) {
      Path file = Files.writeString(folder.resolve("end"), text);
      refused(Map.of(), "is no signed end of an audit log", "audit", "--check=" + file);
    }
    Files.write(folder.resolve("end"), new byte[] {(byte) 0xff, 0});
    refused(Map.of(), "is no signed end", "audit", "--check=" + folder.resolve("end"));
  }

  /** Command lines of which a part would have no effect, and that part. */
  private static final Map<String, String> WITHOUT_EFFECT =
      Map.ofEntries(
          Map.entry("audit --anchor=a --check=b", "--check"),
          Map.entry("audit --check=b --all", "--all"),
          Map.entry("verify --mend", "--mend"),
          Map.entry("checkpoint --list --delete=x", "--delete"),
          Map.entry("checkpoint --show=x --delete=y", "--delete"),
          Map.entry("checkpoint --delete=x note", "TYPE"),
          Map.entry("retention --run --days=5", "--days"),
          Map.entry("retention --default --versions=5", "--versions"),
          Map.entry("retention --days=5 --before=2026-01-01T00:00:00Z", "--before"),
          Map.entry("restore --from=a --into=b --dry-run", "--dry-run"),
          Map.entry("restore --to=2026-01-01T00:00:00Z --passphrase-file=f", "--passphrase-file"),
          Map.entry("jobs --undo", "--undo"),
          Map.entry("jobs j --undo --stop", "--stop"),
          Map.entry("erase --again=f note n", "TYPE"),
          Map.entry("erase note", "TYPE"),
          Map.entry("erase --reason=r", "--reason"),
          Map.entry("incident --export=f --contain", "--contain"),
          Map.entry("incident --since=2026-01-01T00:00:00Z", "--since"),
          Map.entry("cluster show eu", "NODE"),
          Map.entry("cluster heal eu --undo-access", "--undo-access"),
          Map.entry("cluster cut eu --quorum=2", "--quorum"),
          Map.entry("cluster preview eu --wait=2", "--wait"));

  @Test
  void whatWouldHaveNoEffectOnACommandIsRefused() {
    WITHOUT_EFFECT.forEach((line, part) -> refused(Map.of(), part, line.split(" ")));
  }

  @Test
  void emptyValuesOfACommandAreRefusedAndNeverMeanAll() {
    for (List<String> line :
        List.of(
            List.of("account", "token", "ann", "--expires-in="),
            List.of("account", "token", "ann", "--expires-in", ""),
            List.of("resolve", "--rule=union", "--unit=/a", "--type="),
            List.of("resolve", "--rule=union", "--type=a", "--record", " "),
            List.of("incident", "--contain", "--type", ""),
            List.of("webhook", "put", "w", "http://h", "--of="),
            List.of("webhook", "put", "w", "http://h", "--events=,"),
            List.of("restore", "", "--to=2026-01-01T00:00:00Z"),
            List.of("freeze", ""),
            List.of("subjects", ""),
            List.of("demo", "--data="),
            List.of("rebuild", "--data", ""),
            List.of("checkpoint", "note", ""))) {
      refused(Map.of(), "is empty", line.toArray(String[]::new));
    }
  }

  @Test
  void aMissingConfigurationFileIsNamed() {
    String file = folder.resolve("none").toString();
    refused(Map.of(), "--config: cannot read " + file, "serve", "--data=d", "--config=" + file);
  }
}
