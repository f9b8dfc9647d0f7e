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
  void anEmptyTokenOfTheDemoIsRefused() {
    refused(Map.of("ENTENTE_TOKEN", " "), "ENTENTE_TOKEN is empty", "demo", "--port=0");
  }

  @Test
  void writingAnAnchorAndCheckingOneExcludeEachOther() {
    refused(Map.of(), "--anchor and --check", "audit", "--anchor=a", "--check=b");
  }

  @Test
  void aMissingConfigurationFileIsNamed() {
    String file = folder.resolve("none").toString();
    refused(Map.of(), "--config: cannot read " + file, "serve", "--data=d", "--config=" + file);
  }
}
