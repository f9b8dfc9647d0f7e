// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * What the command line of a command gives. An option that would have no effect is refused, since
 * its user relies on it, and so is an empty value: it comes from a variable that is not set, and
 * would mean "all" or "for ever".
 */
record GivenOptions(ParseResult parsed) {
  /** Free texts, which may be empty. */
  private static final Set<String> TEXTS = Set.of("--reason", "--note");

  /** How to print; for every command. */
  private static final Set<String> ALWAYS = Set.of("--json");

  static GivenOptions of(CommandSpec command) {
    return new GivenOptions(command.commandLine().getParseResult());
  }

  /**
   * Refuses empty values.
   *
   * @throws IllegalArgumentException where there is one; the message names what it was given for
   */
  void requireNoneEmpty() {
    for (OptionSpec option : parsed.matchedOptions()) {
      if (option.arity().max() > 0
          && !TEXTS.contains(option.longestName())
          && option.originalStringValues().stream().anyMatch(SettingsCheck::isEmpty)) {
        throw new IllegalArgumentException(
            option.longestName() + " is empty: give it a value, or leave it out");
      }
    }
    for (PositionalParamSpec parameter : parsed.matchedPositionals()) {
      if (parameter.originalStringValues().stream().anyMatch(String::isBlank)) {
        throw new IllegalArgumentException(
            parameter.paramLabel() + " is empty: give it a value, or leave it out");
      }
    }
  }

  /**
   * Refuses all but these options and parameters where one of them is given that decides what the
   * command does.
   *
   * @param mode the option that decides
   * @param others the options and the labels of parameters that go with it
   * @throws IllegalArgumentException where another is given
   */
  void only(String mode, String... others) {
    List<String> given = new ArrayList<>();
    parsed.matchedOptions().forEach(option -> given.add(option.longestName()));
    parsed.matchedPositionals().forEach(parameter -> given.add(parameter.paramLabel()));
    given.removeAll(Arrays.asList(others));
    given.removeAll(ALWAYS);
    given.remove(mode);
    if (!given.isEmpty()) {
      throw new IllegalArgumentException(
          given.getFirst() + " has no effect with " + mode + ": leave one of them out");
    }
  }

  /**
   * Refuses an option that has no effect without another.
   *
   * @throws IllegalArgumentException where it is given alone
   */
  void requireWith(String option, String needed) {
    if (has(option) && !has(needed)) {
      throw new IllegalArgumentException(
          option + " has no effect without " + needed + ": give both, or leave it out");
    }
  }

  /**
   * Refuses an option that has no effect on what the command is told to do.
   *
   * @throws IllegalArgumentException where it is given
   */
  void without(String option, String action) {
    if (has(option)) {
      throw new IllegalArgumentException(
          option + " has no effect with " + action + ": leave it out");
    }
  }

  private boolean has(String name) {
    return parsed.matchedOptions().stream().anyMatch(option -> option.longestName().equals(name))
        || parsed.matchedPositionals().stream()
            .anyMatch(parameter -> parameter.paramLabel().equals(name));
  }
}
