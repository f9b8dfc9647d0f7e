// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * The administrator's token of a data directory: {@code ENTENTE_TOKEN} if that is set at the first
 * start, else generated; kept in the file {@code token}, readable by its owner only.
 *
 * @param isNew true where it was made just now, so that it can be printed once
 */
public record Token(String value, boolean isNew) {

  /** The directory's token, made where there is none. */
  public static Token of(Path directory) throws IOException {
    Path file = directory.resolve("token");
    if (Files.exists(file)) {
      return new Token(Files.readString(file).strip(), false);
    }
    String given = System.getenv("ENTENTE_TOKEN");
    boolean generated = given == null || given.isBlank();
    String token = generated ? Auth.newToken() : given.strip();
    var owner = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    try (var channel =
        Files.newByteChannel(
            file, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), owner)) {
      channel.write(java.nio.ByteBuffer.wrap((token + "\n").getBytes(StandardCharsets.UTF_8)));
    }
    return new Token(token, generated);
  }

  @Override
  public String toString() {
    return "Token[…]";
  }
}
