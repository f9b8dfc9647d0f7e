// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command line that runs {@code entente} in a process of its own. */
final class Jvm {
  private Jvm() {}

  /**
   * This release; what it is to do comes after.
   *
   * @param options of the JVM, beside those that it never goes without
   */
  static List<String> entente(String... options) {
    return of(System.getProperty("java.class.path"), options);
  }

  /** What stands on a class path. */
  static List<String> of(String classPath, String... options) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(
        List.of("--enable-native-access=ALL-UNNAMED", "-cp", classPath, Main.class.getName()));
    return command;
  }
}
