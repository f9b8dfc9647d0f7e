// SPDX-License-Identifier: Apache-2.0
package dev.entente.format;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.ImportOrderer;
import com.google.googlejavaformat.java.JavaFormatterOptions;
import com.google.googlejavaformat.java.RemoveUnusedImports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every source file is formatted as google-java-format would; {@code bin/format} rewrites. */
class FormatTest {
  private static final Path ROOT = Path.of(System.getProperty("entente.root", ".."));

  @Test
  void everySourceFileIsFormatted() throws Exception {
    boolean rewrite = Boolean.getBoolean("format.write");
    Formatter formatter = new Formatter(JavaFormatterOptions.defaultOptions());
    List<String> unformatted = new ArrayList<>();
    for (Path file : sources()) {
      String before = Files.readString(file);
      String after = format(formatter, file, before);
      if (!after.equals(before)) {
        unformatted.add(ROOT.relativize(file).toString());
        if (rewrite) {
          Files.writeString(file, after);
        }
      }
    }
    if (!rewrite) {
      assertThat(unformatted).as("files to rewrite with bin/format").isEmpty();
    }
  }

  @Test
  void everySourceFileNamesItsLicence() throws IOException {
    for (Path file : sources()) {
      assertThat(Files.readString(file))
          .as("%s", file)
          .startsWith("// SPDX-License-Identifier: Apache-2.0\n");
    }
  }

  private static String format(Formatter formatter, Path file, String text) {
    try {
      String ordered = ImportOrderer.reorderImports(text, JavaFormatterOptions.Style.GOOGLE);
      return formatter.formatSource(RemoveUnusedImports.removeUnusedImports(ordered));
    } catch (FormatterException e) {
      throw new AssertionError(file + " does not parse", e);
    }
  }

  private static List<Path> sources() throws IOException {
    try (var files = Files.walk(ROOT)) {
      return files
          .filter(f -> f.toString().endsWith(".java") && !f.toString().contains("/target/"))
          .sorted()
          .toList();
    }
  }
}
