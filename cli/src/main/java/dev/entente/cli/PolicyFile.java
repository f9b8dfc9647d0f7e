// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Reads policy files for the commands, and says what is wrong with them. */
final class PolicyFile {
  private PolicyFile() {}

  /** A policy's text and what it says. */
  record Read(String text, PolicyLoader.Loaded loaded) {}

  /** The file's policy, or the one that commands use by default. */
  static Read read(@Nullable Path file) throws PolicyException, IOException {
    String text = file == null ? resource("review-what-clashes.yaml") : Files.readString(file);
    return new Read(text, PolicyLoader.load(text));
  }

  static String described(Path file, PolicyException e) {
    StringBuilder text = new StringBuilder();
    for (PolicyProblem problem : e.problems()) {
      text.append(file)
          .append(':')
          .append(problem.line())
          .append(':')
          .append(problem.column())
          .append(": ")
          .append(problem.message())
          .append('\n');
    }
    return text.toString();
  }

  private static String resource(String name) {
    try (InputStream in = PolicyFile.class.getResourceAsStream("/policies/" + name)) {
      if (in == null) {
        throw new IllegalStateException("the policy " + name + " is missing from the program");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
