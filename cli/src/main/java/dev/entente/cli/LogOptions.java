// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import java.util.Locale;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine.Option;

/** How a node writes its log, which goes to standard error. */
final class LogOptions {
  /** The form of each entry. */
  enum Form {
    TEXT,
    JSON;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** From where on entries are written. */
  enum From {
    ERROR,
    WARNING,
    INFO,
    DEBUG;

    private Level level() {
      return switch (this) {
        case ERROR -> Level.SEVERE;
        case WARNING -> Level.WARNING;
        case INFO -> Level.INFO;
        case DEBUG -> Level.FINE;
      };
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = "--log",
      paramLabel = "FORM",
      description = "How the log is written: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  Form form = Form.TEXT;

  @Option(
      names = "--log-level",
      paramLabel = "LEVEL",
      description = "From where on: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  From from = From.INFO;

  /** Has it so from here on. */
  void apply() {
    Logger root = Logger.getLogger("");
    root.setLevel(from.level());
    for (Handler handler : root.getHandlers()) {
      handler.setLevel(from.level());
      if (form == Form.JSON) {
        handler.setFormatter(new JsonLog());
      }
    }
  }
}
