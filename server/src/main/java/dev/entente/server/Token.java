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

  /** A token is at least this long. */
  public static final int LENGTH_MIN = 16;

  public Token {
    if (value.isBlank()) {
      throw new IllegalArgumentException("a token that is empty lets everybody in");
    }
    require("the administrator's token", value);
  }

  /**
   * Checks what is to be a token: long enough that nobody guesses it, and of characters that a
   * header takes.
   *
   * @param setting what gives it, for the message
   * @throws IllegalArgumentException where it is none; the message does not repeat it
   */
  public static void require(String setting, String value) {
    if (value.chars().anyMatch(c -> c <= ' ' || c >= 0x7f)) {
      throw new IllegalArgumentException(
          setting
              + " holds white space or characters that no header takes, so no client could send"
              + " it: set another");
    }
    if (value.length() < LENGTH_MIN) {
      throw new IllegalArgumentException(
          setting
              + " has fewer than "
              + LENGTH_MIN
              + " characters, which can be guessed: set another (openssl rand -hex 24 makes one)");
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
    Optional<String> kept = check(directory, wanted);
    if (kept.isPresent()) {
      return new Token(kept.get(), false);
    }
    Optional<String> given = given(wanted);
    Token token = new Token(given.orElseGet(Auth::newToken), given.isEmpty());
    token.keep(directory);
    return token;
  }

  /**
   * Checks that a token can be used in a directory, and changes nothing there.
   *
   * @param wanted the token to begin with
   * @return the token that the directory has already
   * @throws IllegalArgumentException where the directory has another, or no client could send it
   */
  public static Optional<String> check(Path directory, Optional<String> wanted) throws IOException {
    Optional<String> given = given(wanted);
    given.ifPresent(token -> require("ENTENTE_TOKEN", token));
    Path file = directory.resolve("token");
    if (isNone(file)) {
      return Optional.empty();
    }
    String kept = SettingFile.secret("the administrator's token", file);
    require("the administrator's token in " + file, kept);
    if (given.filter(token -> !token.equals(kept)).isPresent()) {
      throw new IllegalArgumentException(
          "ENTENTE_TOKEN is another token than "
              + file
              + " holds, which is in force: unset it, or remove the file to replace the token");
    }
    return Optional.of(kept);
  }

  private static Optional<String> given(Optional<String> wanted) {
    return wanted.map(String::strip).filter(token -> !token.isEmpty());
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
    Path begun = Folders.create(directory).resolve("token.unfinished");
    Files.deleteIfExists(begun);
    Files.writeString(Folders.createFile(begun), value + "\n");
    Folders.publish(begun, directory.resolve("token"));
  }

  @Override
  public String toString() {
    return "Token[…]";
  }
}
