// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** Opens text files of one JSON value a line, gzipped or not. */
final class JsonLines {
  private JsonLines() {}

  static BufferedReader open(Path file) throws IOException {
    InputStream raw = new BufferedInputStream(Files.newInputStream(file));
    raw.mark(2);
    boolean gzipped = raw.read() == 0x1F && raw.read() == 0x8B;
    raw.reset();
    return new BufferedReader(
        new InputStreamReader(gzipped ? new GZIPInputStream(raw) : raw, StandardCharsets.UTF_8));
  }
}
