// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.engine.store.Folders;
import dev.entente.engine.store.SettingFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The administrator's token of a data directory: {@code ENTENTE_TOKEN} if that is set at the first
 * start, else generated; kept in the file {@code token}, readable by its owner only.
 *
 * @param isNew true where it was made just now, so that it can be printed once
 */
public record Token(String value, boolean isNew) {

  public Token {
    if (value.isBlank()) {
      throw new IllegalArgumentException("a token that is empty lets everybody in");
    }
  }

  /** The directory's token, made where there is none; an empty file is none. */
  public static Token of(Path directory) throws IOException {
    return of(directory, Optional.ofNullable(System.getenv("ENTENTE_TOKEN")));
  }

  /**
   * The directory's token, made where there is none.
   *
   * @param wanted the token to begin with; a directory that has another is refused
   * @throws IllegalArgumentException where the directory has another
   */
  public static Token of(Path directory, Optional<String> wanted) throws IOException {
    Optional<String> given = wanted.map(String::strip).filter(token -> !token.isEmpty());
    Path file = directory.resolve("token");
    String kept = isNone(file) ? "" : SettingFile.secret("the administrator's token", file);
    if (!kept.isEmpty()) {
      if (given.filter(token -> !token.equals(kept)).isPresent()) {
        throw new IllegalArgumentException(
            "ENTENTE_TOKEN is another token than "
                + file
                + " holds, which is in force: unset it, or remove the file to replace the token");
      }
      return new Token(kept, false);
    }
    Token token = new Token(given.orElseGet(Auth::newToken), given.isEmpty());
    token.keep(directory);
    return token;
  }

  /** Whether no file is there, or one that a loss of power left without its content. */
  private static boolean isNone(Path file) throws IOException {
    return Files.notExists(file)
        || (Files.isRegularFile(file)
            && Files.size(file) < 64
            && Files.readString(file, StandardCharsets.ISO_8859_1).isBlank());
  }

  /** Keeps it so that it is there as a whole or not at all, whenever the power goes. */
  private void keep(Path directory) throws IOException {
    Path begun = directory.resolve("token.unfinished");
    Files.deleteIfExists(begun);
    Files.writeString(Folders.createFile(begun), value + "\n");
    Folders.publish(begun, directory.resolve("token"));
  }

  @Override
  public String toString() {
    return "Token[…]";
  }
}
