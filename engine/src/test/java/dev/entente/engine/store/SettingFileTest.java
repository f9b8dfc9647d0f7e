// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A file that a setting names is read, or refused with what to do. */
class SettingFileTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void create() throws IOException {
    file = folder.resolve("secret");
    Folders.createFile(file);
    Files.writeString(file, " what it holds \n");
  }

  private void mode(String permissions) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
  }

  private void secretIsRefused(Path given, String why) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SettingFile.secret("--secret-file", given))
        .withMessageContaining("--secret-file")
        .withMessageContaining(given.toString())
        .withMessageContaining(why);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-r--r--", "rw----r--", "rw--w----", "rw-----w-", "rw-rw----"})
  void aSecretThatOthersCanReadOrWriteIsRefused(String permissions) throws IOException {
    mode(permissions);
    secretIsRefused(file, "chmod 600 " + file);
    secretIsRefused(Files.createSymbolicLink(folder.resolve("link"), file), "chmod 600");
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-------", "r--------"})
  void aSecretOfItsOwnerIsRead(String permissions) throws IOException {
    mode(permissions);
    assertThat(SettingFile.secret("--secret-file", file)).isEqualTo("what it holds");
  }

  @Test
  void aGroupMayReadASecretThatRootOwns() throws IOException {
    mode("rw-r-----");
    if (Files.getOwner(file).getName().equals("root")) {
      assertThat(SettingFile.secret("--secret-file", file)).isEqualTo("what it holds");
    } else {
      secretIsRefused(file, "chmod 600");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-rw-r--", "rw-r--rw-"})
  void whatIsTrustedMustNotBeWritableByOthers(String permissions) throws IOException {
    mode(permissions);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SettingFile.trusted("--tls-ca", file))
        .withMessageContaining("--tls-ca")
        .withMessageContaining("chmod go-w " + file);
    mode("rw-r--r--");
    assertThat(SettingFile.trusted("--tls-ca", file)).isEqualTo("what it holds");
  }

  @Test
  void whatCannotBeReadIsNamed() throws IOException {
    secretIsRefused(folder.resolve("missing"), "no such file");
    secretIsRefused(folder, "directory");
    Files.writeString(file, " \n");
    secretIsRefused(file, "empty");
    Files.write(file, new byte[] {(byte) 0xff, 0});
    secretIsRefused(file, "UTF-8");
    Files.write(file, new byte[(1 << 20) + 1]);
    secretIsRefused(file, "larger");
  }
}
