// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;

/**
 * One start of {@code serve} in this process that ends by itself: refused for its settings, or at
 * the latest where the store cannot be opened.
 *
 * @param code the exit code
 * @param said what was written to standard error
 */
record ServeRun(int code, String said) {
  private static final String STORE = "no-store";

  /** Starts with these options on a folder in which a file is in the place of the store. */
  static ServeRun of(Path folder, Map<String, String> environment, String... options) {
    List<String> arguments = new ArrayList<>(Arrays.asList(options));
    if (arguments.stream().noneMatch(ServeRun::givesData)
        && !environment.containsKey("ENTENTE_DATA")) {
      arguments.add("--data=" + blocked(folder));
    }
    StringWriter err = new StringWriter();
    int code =
        new CommandLine(new ServeCommand())
            .setDefaultValueProvider(new Settings(arguments, environment))
            .setExecutionExceptionHandler(Main::explained)
            .setErr(new PrintWriter(err, true))
            .execute(arguments.toArray(String[]::new));
    return new ServeRun(code, err.toString());
  }

  private static boolean givesData(String option) {
    try {
      return option.startsWith("--data=")
          || (option.startsWith("--config=")
              && Files.isRegularFile(Path.of(option.substring("--config=".length())))
              && Files.readString(Path.of(option.substring("--config=".length())), ISO_8859_1)
                  .startsWith("data="));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Path blocked(Path folder) {
    Path data = folder.resolve(STORE);
    try {
      if (Files.notExists(data)) {
        Files.writeString(Files.createDirectories(data).resolve("store"), "a file");
      }
      // The token of an earlier start would be another than the one that is given.
      Files.deleteIfExists(data.resolve("token"));
      return data;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** The names of all settings. */
  static List<String> names() {
    return Settings.names(new CommandLine(new ServeCommand()).getCommandSpec());
  }

  /** The variable of a setting. */
  static String variable(String name) {
    return "ENTENTE_" + name.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  boolean isRefused() {
    return code == ExitCodes.BAD_INPUT;
  }

  /** Checks that the settings stopped the start, and that the message holds these parts. */
  void refused(String... parts) {
    assertThat(said).contains(parts).doesNotContain("Exception");
    assertThat(code).as(said).isEqualTo(ExitCodes.BAD_INPUT);
  }

  /** Checks that no setting stopped the start. */
  void accepted() {
    assertThat(said).contains(STORE);
    assertThat(code).as(said).isEqualTo(ExitCodes.FAILED);
  }
}
