// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;

/**
 * Reads the files that settings name. A file that holds a secret must be private to its owner, one
 * that is trusted must not be writable by other users; a file that is missing, empty, too large or
 * otherwise unusable is refused with one sentence that names the setting and the file.
 *
 * <p>The rule for secrets is PostgreSQL's: the owner alone, or a file of root that a group may
 * read. The rule for what is trusted is that of OpenSSH for its configuration.
 */
public final class SettingFile {
  private static final int BYTES_MAX = 1 << 20;

  private static final Set<PosixFilePermission> WRITE =
      Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
  private static final Set<PosixFilePermission> READ =
      Set.of(PosixFilePermission.GROUP_READ, PosixFilePermission.OTHERS_READ);

  private SettingFile() {}

  /**
   * A secret, without the white space around it.
   *
   * @param setting the setting that names the file
   * @throws IllegalArgumentException where the file cannot be used, or other users can read it
   */
  public static String secret(String setting, Path file) {
    requirePrivate(setting, file);
    return text(setting, file);
  }

  /**
   * What a file holds whose writer is trusted, without the white space around it: a certificate, a
   * public key, a configuration.
   *
   * @param setting the setting that names the file
   * @throws IllegalArgumentException where the file cannot be used, or other users can write it
   */
  public static String trusted(String setting, Path file) {
    refuse(setting, file, WRITE, "write", "go-w");
    return text(setting, file);
  }

  private static void requirePrivate(String setting, Path file) {
    Set<PosixFilePermission> refused = EnumSet.copyOf(WRITE);
    refused.addAll(READ);
    refuse(setting, file, refused, "read or write", "600");
  }

  private static void refuse(
      String setting, Path file, Set<PosixFilePermission> refused, String doWhat, String mode) {
    Set<PosixFilePermission> exposed = EnumSet.copyOf(refused);
    String permissions;
    try {
      PosixFileAttributes attributes = Files.readAttributes(file, PosixFileAttributes.class);
      if (attributes.owner().getName().equals("root")) {
        exposed.remove(PosixFilePermission.GROUP_READ);
      }
      exposed.retainAll(attributes.permissions());
      permissions = PosixFilePermissions.toString(attributes.permissions());
      if (attributes.isDirectory()) {
        return;
      }
    } catch (UnsupportedOperationException | IOException e) {
      // Without such permissions the file system decides; reading says what else is wrong.
      return;
    }
    if (!exposed.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: other users can %s %s (its permissions are %s): correct them with chmod %s %s"
              .formatted(setting, doWhat, file, permissions, mode, file));
    }
  }

  private static String text(String setting, Path file) {
    String text;
    try {
      if (Files.isDirectory(file)) {
        throw new IOException("it is a directory, not a file");
      }
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes(file))).toString();
    } catch (NoSuchFileException e) {
      throw unusable(setting, file, "there is no such file", e);
    } catch (AccessDeniedException e) {
      throw unusable(setting, file, "permission denied", e);
    } catch (CharacterCodingException e) {
      throw unusable(setting, file, "it is not text in UTF-8", e);
    } catch (IOException e) {
      throw unusable(setting, file, String.valueOf(e.getMessage()), e);
    }
    if (text.isBlank()) {
      throw new IllegalArgumentException(setting + ": the file " + file + " is empty");
    }
    return text.strip();
  }

  private static byte[] bytes(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(BYTES_MAX + 1);
      if (bytes.length > BYTES_MAX) {
        throw new IOException("it is larger than " + BYTES_MAX + " bytes");
      }
      return bytes;
    }
  }

  private static IllegalArgumentException unusable(
      String setting, Path file, String why, IOException cause) {
    return new IllegalArgumentException(setting + ": cannot read " + file + ": " + why, cause);
  }
}
