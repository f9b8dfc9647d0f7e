// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

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
    Path file = directory.resolve("token");
    String kept = Files.exists(file) ? Files.readString(file).strip() : "";
    if (!kept.isEmpty()) {
      return new Token(kept, false);
    }
    String given = System.getenv("ENTENTE_TOKEN");
    boolean generated = given == null || given.isBlank();
    Token token = new Token(generated ? Auth.newToken() : given.strip(), generated);
    token.keep(directory);
    return token;
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
