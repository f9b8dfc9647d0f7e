// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;

/**
 * Whether and how often {@code serve} recovers by itself. What it began is noted in a file of the
 * data directory, since a supervisor may start the process again each time.
 */
final class Recoveries {
  private static final String FILE = "recoveries";
  private static final Duration WINDOW = Duration.ofHours(24);

  /** More than anybody means. */
  static final int ATTEMPTS_MAX = 1_000;

  private final Path file;
  private final boolean on;
  private final int attempts;

  private Recoveries(Path file, boolean on, int attempts) {
    this.file = file;
    this.on = on;
    this.attempts = attempts;
  }

  /**
   * Those of a data directory.
   *
   * @throws IllegalArgumentException where the settings make no sense
   */
  static Recoveries of(Path data, boolean on, int attempts) {
    Checks.requireRange("--recovery-attempts", attempts, 1, ATTEMPTS_MAX);
    return new Recoveries(data.resolve(FILE), on, attempts);
  }

  boolean isOn() {
    return on;
  }

  /** Notes that one begins, and returns true; says why not, and returns false, where it may not. */
  boolean begin(String what, PrintWriter err) throws IOException {
    if (!on) {
      refused(what, err);
      return false;
    }
    Instant now = Instant.now();
    long recent = recent(now);
    if (recent >= attempts) {
      err.printf(
          "not done: to %s; this node recovered %d times in 24 hours (--recovery-attempts), see %s."
              + " Find out why: check the disk; restore a backup or begin with a copy of another"
              + " node on a new one; then remove that file%n",
          what, recent, file);
      err.flush();
      return false;
    }
    Files.writeString(file, now + " " + what + "\n", CREATE, APPEND);
    return true;
  }

  /** Says that people have to begin it; the exit code of serve. */
  int refused(String what, PrintWriter err) {
    err.println(
        "not done: to "
            + what
            + ", since --auto-recovery=false. Start serve with --auto-recovery=true"
            + " to have it done");
    err.flush();
    return ExitCodes.FAILED;
  }

  private long recent(Instant now) throws IOException {
    if (!Files.exists(file)) {
      return 0;
    }
    return Files.readAllLines(file).stream().filter(line -> isRecent(line, now)).count();
  }

  /** A line that cannot be read counts: nothing is done more often because a file is damaged. */
  private static boolean isRecent(String line, Instant now) {
    try {
      return Instant.parse(line.substring(0, Math.max(0, line.indexOf(' '))))
          .isAfter(now.minus(WINDOW));
    } catch (DateTimeParseException e) {
      return true;
    }
  }
}
