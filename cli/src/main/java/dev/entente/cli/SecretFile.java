// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the files that settings name and that hold secrets. */
final class SecretFile {
  private static final Set<PosixFilePermission> EXPOSED =
      Set.of(
          PosixFilePermission.GROUP_READ,
          PosixFilePermission.GROUP_WRITE,
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE);

  private SecretFile() {}

  /**
   * What a file holds, without the white space around it.
   *
   * @param option the setting that names the file
   * @throws IllegalArgumentException where there is nothing to read; the message names the setting
   *     and the file
   */
  static String read(String option, Path file) {
    String text;
    try {
      text = Files.readString(file).strip();
    } catch (NoSuchFileException e) {
      throw refused(option, file, "there is no such file", e);
    } catch (AccessDeniedException e) {
      throw refused(option, file, "permission denied", e);
    } catch (CharacterCodingException e) {
      throw refused(option, file, "it is not text in UTF-8", e);
    } catch (IOException e) {
      throw refused(option, file, String.valueOf(e.getMessage()), e);
    }
    if (text.isEmpty()) {
      throw new IllegalArgumentException(option + ": the file " + file + " is empty");
    }
    return text;
  }

  /**
   * What to do about a file that other users of the machine can read or write; empty where they
   * cannot, and where the file system has no such permissions. A group may read what the system's
   * administrator owns, as a mounted secret is.
   *
   * @param option the setting that names the file
   */
  static Optional<String> exposure(String option, @Nullable Path file) {
    if (file == null) {
      return Optional.empty();
    }
    try {
      PosixFileAttributes attributes = Files.readAttributes(file, PosixFileAttributes.class);
      Set<PosixFilePermission> exposed = EnumSet.copyOf(EXPOSED);
      if (attributes.owner().getName().equals("root")) {
        exposed.remove(PosixFilePermission.GROUP_READ);
      }
      exposed.retainAll(attributes.permissions());
      return exposed.isEmpty()
          ? Optional.empty()
          : Optional.of(option + ": other users can read or write " + file + ": chmod 600 " + file);
    } catch (UnsupportedOperationException | IOException e) {
      return Optional.empty();
    }
  }

  private static IllegalArgumentException refused(
      String option, Path file, String why, IOException cause) {
    return new IllegalArgumentException(option + ": cannot read " + file + ": " + why, cause);
  }
}
