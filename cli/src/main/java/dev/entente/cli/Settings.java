// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * What the options of {@code serve} are where the command line does not say: the environment's
 * {@code ENTENTE_} and the option's name in capitals, then the configuration file, then the
 * built-in default.
 */
final class Settings implements IDefaultValueProvider {
  private static final String COMMAND = "serve";
  private static final String CONFIG = "config";

  private final Map<String, String> environment;
  private final Optional<Path> file;
  private @Nullable Properties properties;

  /**
   * @param arguments the command line, to find the configuration file before it is parsed
   */
  Settings(List<String> arguments, Map<String, String> environment) {
    this.environment = environment;
    this.file =
        named(arguments)
            .or(() -> Optional.ofNullable(environment.get(variable(CONFIG))))
            .map(Path::of);
  }

  private static Optional<String> named(List<String> arguments) {
    String option = "--" + CONFIG;
    for (int i = 0; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      if (argument.startsWith(option + "=")) {
        return Optional.of(argument.substring(option.length() + 1));
      }
      if (argument.equals(option) && i + 1 < arguments.size()) {
        return Optional.of(arguments.get(i + 1));
      }
    }
    return Optional.empty();
  }

  private static String variable(String option) {
    return "ENTENTE_" + option.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  private static String name(OptionSpec option) {
    return option.longestName().replaceFirst("^-+", "");
  }

  @Override
  public @Nullable String defaultValue(ArgSpec argument) throws IOException {
    if (!(argument instanceof OptionSpec option)
        || !option.command().name().equals(COMMAND)
        || option.usageHelp()
        || option.versionHelp()) {
      return null;
    }
    String name = name(option);
    String given = environment.get(variable(name));
    return given != null && !given.isBlank()
        ? given.strip()
        : name.equals(CONFIG) ? null : inFile().getProperty(name);
  }

  private Properties inFile() throws IOException {
    Properties read = properties;
    if (read == null) {
      read = new Properties();
      if (file.isPresent()) {
        try (Reader reader = Files.newBufferedReader(file.get())) {
          read.load(reader);
        }
      }
      properties = read;
    }
    return read;
  }

  /** What a configuration file says that is no option of the command. */
  static List<String> unknown(Path file, CommandSpec command) throws IOException {
    Properties read = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      read.load(reader);
    }
    List<String> known =
        command.options().stream()
            .map(Settings::name)
            .filter(name -> !name.equals(CONFIG))
            .toList();
    return read.stringPropertyNames().stream()
        .filter(name -> !known.contains(name))
        .sorted()
        .toList();
  }
}
