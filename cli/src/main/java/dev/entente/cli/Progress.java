// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import java.util.Optional;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Progress on a terminal; nothing elsewhere. */
final class Progress {
  private Progress() {}

  @SuppressWarnings("SystemConsoleNull")
  static boolean onTerminal() {
    java.io.Console console = System.console();
    return console != null && console.isTerminal();
  }

  /** Asks whoever sits at the terminal; empty where nobody does. */
  @SuppressWarnings("SystemConsoleNull")
  static Optional<Boolean> agrees(String question) {
    java.io.Console console = System.console();
    if (console == null || !console.isTerminal()) {
      return Optional.empty();
    }
    String answer = console.readLine("%s [y/N] ", question);
    return Optional.of(answer != null && answer.strip().equalsIgnoreCase("y"));
  }

  static ProgressBar bar(String task, long steps) {
    return new ProgressBarBuilder()
        .setTaskName(task)
        .setInitialMax(steps)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(onTerminal() ? 200 : 3_600_000)
        .setConsumer(
            new DelegatingProgressBarConsumer(
                text -> {
                  if (onTerminal()) {
                    System.err.print("\r" + text);
                  }
                },
                80))
        .build();
  }
}
