// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.engine.store.SettingFile;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
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

  private static final Pattern EMPTY_OPTION = Pattern.compile("--[a-z0-9-]+=[\\s,]*");

  private static final Pattern COMMENT = Pattern.compile("\\s*([#!].*)?");

  /** A line of a configuration file. */
  private static final Pattern LINE =
      Pattern.compile(COMMENT.pattern() + "|\\s*[a-z][a-z0-9-]{0,39}\\s*[=:].*");

  /** The end of a line that the next one continues. */
  private static final Pattern ENDS_OPEN = Pattern.compile("(?<!\\\\)(\\\\\\\\)*\\\\$");

  /** The secrets of {@code serve} that are given in the environment alone. */
  static final List<String> SECRETS =
      List.of("ENTENTE_SECRET", "ENTENTE_TOKEN", "ENTENTE_SMTP_PASSWORD");

  /** Settings that have no effect without another: each option, and the one that it needs. */
  private static final Map<String, String> NEEDS =
      Map.of(
          "tenant", "policies",
          "trace-ratio", "traces",
          "oidc-audience", "oidc-issuer",
          "oidc-keys", "oidc-issuer",
          "oidc-name-claim", "oidc-issuer",
          "smtp-port", "smtp-host",
          "smtp-from", "smtp-host",
          "smtp-user", "smtp-host",
          "smtp-plain", "smtp-host",
          "insecure-smtp", "smtp-plain");

  /** The variables of client commands. */
  private static final List<String> CLIENT =
      List.of("ENTENTE_URL", "ENTENTE_TOKEN", "ENTENTE_TENANT", "ENTENTE_CA");

  /** The variables of the start script. */
  private static final List<String> SCRIPT = List.of("ENTENTE_JAVA_OPTS", "ENTENTE_CLASSPATH");

  private final List<String> arguments;
  private final Map<String, String> environment;
  private final Optional<Path> file;
  private @Nullable Properties properties;

  /**
   * @param arguments the command line, to find the configuration file before it is parsed
   */
  Settings(List<String> arguments, Map<String, String> environment) {
    this.arguments = List.copyOf(arguments);
    this.environment = environment;
    this.file =
        named(arguments)
            .or(() -> Optional.ofNullable(environment.get(variable(CONFIG))))
            .filter(name -> !name.isBlank())
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
    try {
      return given != null && !given.isBlank()
          ? given.strip()
          : name.equals(CONFIG) ? null : inFile().getProperty(name);
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(
          option.command().commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  /** The settings that a command was given. */
  static Settings of(CommandSpec command) {
    return command.commandLine().getDefaultValueProvider() instanceof Settings given
        ? given
        : new Settings(List.of(), System.getenv());
  }

  /** A secret of the environment, one of {@link #SECRETS}. */
  Optional<String> secret(String name) {
    return Optional.ofNullable(environment.get(name)).map(String::strip);
  }

  /**
   * Finds what was given and would have no effect.
   *
   * @return variables that no setting resembles
   * @throws IllegalArgumentException where a setting is misspelt or empty; the message names it
   */
  List<String> check(CommandSpec command) throws IOException {
    for (OptionSpec option : command.commandLine().getParseResult().matchedOptions()) {
      if (option.arity().max() > 0
          && option.originalStringValues().stream().anyMatch(SettingsCheck::isEmpty)) {
        throw new IllegalArgumentException(
            option.longestName() + " is empty: give it a value, or leave it out");
      }
    }
    for (String argument : arguments) {
      if (EMPTY_OPTION.matcher(argument).matches()) {
        throw new IllegalArgumentException(
            argument.replaceFirst("=.*", "") + " is empty: give it a value, or leave it out");
      }
    }
    if (file.isPresent()) {
      checkFile(file.get(), command);
    }
    List<String> known = new ArrayList<>(SECRETS);
    known.addAll(names(command).stream().map(Settings::variable).toList());
    Map<String, String> own = new TreeMap<>(environment);
    Stream.of(CLIENT, SCRIPT)
        .flatMap(List::stream)
        .filter(name -> !known.contains(name))
        .forEach(own::remove);
    List<String> unused = new SettingsCheck(known).unused(own);
    requireNeeded(given(command));
    return unused;
  }

  private static void requireNeeded(Set<String> given) {
    for (String name : given) {
      String needed = NEEDS.getOrDefault(name, name);
      if (!given.contains(needed)) {
        throw new IllegalArgumentException(
            "--%s has no effect without --%s: give both, or leave it out".formatted(name, needed));
      }
    }
  }

  /**
   * The settings that the command line, the environment or the file gives; without variables of
   * client commands, which may be there for those.
   */
  private Set<String> given(CommandSpec command) throws IOException {
    Set<String> given = new TreeSet<>(inFile().stringPropertyNames());
    for (OptionSpec option : command.options()) {
      String variable = variable(name(option));
      if ((environment.containsKey(variable) && !CLIENT.contains(variable))
          || command.commandLine().getParseResult().hasMatchedOption(option)) {
        given.add(name(option));
      }
    }
    return given;
  }

  /**
   * Checks the variables that client commands read.
   *
   * @return variables that neither they nor a node read
   * @throws IllegalArgumentException where one is empty, or a name resembles one of theirs only
   */
  static List<String> checkClient(Map<String, String> environment) {
    Map<String, String> own = new TreeMap<>(environment);
    // What starts a node in the same shell is set on purpose.
    SECRETS.stream().filter(name -> !CLIENT.contains(name)).forEach(own::remove);
    own.keySet().removeAll(SCRIPT);
    names(new CommandLine(new ServeCommand()).getCommandSpec()).stream()
        .map(Settings::variable)
        .filter(name -> !CLIENT.contains(name))
        .forEach(own::remove);
    return new SettingsCheck(CLIENT).unused(own);
  }

  /** The same, of the environment that a command was given. */
  void checkAsClient() {
    checkClient(environment);
  }

  private void checkFile(Path given, CommandSpec command) throws IOException {
    List<String> unknown = unknown(given, command);
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException(
          given
              + ": no option is called "
              + String.join(", ", unknown)
              + "; entente help serve lists them");
    }
    for (String name : inFile().stringPropertyNames()) {
      if (SettingsCheck.isEmpty(inFile().getProperty(name))) {
        throw new IllegalArgumentException(
            given + ": " + name + " is empty: give it a value, or leave it out");
      }
    }
  }

  /** The names of a command's settings. */
  static List<String> names(CommandSpec command) {
    return command.options().stream()
        .filter(option -> !option.usageHelp() && !option.versionHelp())
        .map(Settings::name)
        .toList();
  }

  private Properties inFile() throws IOException {
    Properties read = properties;
    if (read == null) {
      read = file.isPresent() ? read(file.get()) : new Properties();
      properties = read;
    }
    return read;
  }

  private static Properties read(Path file) {
    String text = SettingFile.trusted("--" + CONFIG, file);
    requireSettings(file, text);
    Properties read = new UniqueProperties();
    try {
      read.load(new StringReader(text));
    } catch (IOException | IllegalArgumentException e) {
      throw new IllegalArgumentException("--" + CONFIG + ": " + file + ": " + e.getMessage(), e);
    }
    return read;
  }

  /**
   * Refuses what is no list of settings, such as a key that was named by mistake, without repeating
   * any of it.
   */
  private static void requireSettings(Path file, String text) {
    boolean continued = false;
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      boolean isSetting = continued || LINE.matcher(line).matches();
      if (!isSetting) {
        throw new IllegalArgumentException(
            "--%s: %s: line %d is no setting: write one a line, such as port=7400"
                .formatted(CONFIG, file, number));
      }
      continued = !COMMENT.matcher(line).matches() && ENDS_OPEN.matcher(line).find();
    }
  }

  /** Refuses a name that is given twice, of which only the last would have an effect. */
  private static final class UniqueProperties extends Properties {
    private static final long serialVersionUID = 1;

    @Override
    public synchronized @Nullable Object put(Object name, Object value) {
      if (containsKey(name)) {
        throw new IllegalArgumentException(name + " is given twice: leave one of them out");
      }
      return super.put(name, value);
    }
  }

  /** What a configuration file says that is no option of the command. */
  static List<String> unknown(Path file, CommandSpec command) throws IOException {
    Properties read = read(file);
    List<String> known = names(command).stream().filter(name -> !name.equals(CONFIG)).toList();
    return read.stringPropertyNames().stream()
        .filter(name -> !known.contains(name))
        .sorted()
        .toList();
  }
}
