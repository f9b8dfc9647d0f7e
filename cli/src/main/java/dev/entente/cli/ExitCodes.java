// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

/** The exit codes of all commands. */
final class ExitCodes {
  static final int OK = 0;

  /** Done, but something is left for a person: a merge needs review, a check found problems. */
  static final int NEEDS_REVIEW = 1;

  /** What was given cannot be used: a bad argument, file or policy. */
  static final int BAD_INPUT = 2;

  /** The node refused, or could not be reached. */
  static final int FAILED = 3;

  private ExitCodes() {}
}
