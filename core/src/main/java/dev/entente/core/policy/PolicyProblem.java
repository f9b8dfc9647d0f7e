// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import java.util.List;
import java.util.stream.Collectors;

/**
 * Something wrong with a policy file, where, and if possible what was meant. Lines and columns
 * count from 1.
 *
 * @param acceptedBefore whether an earlier release accepted this: a new policy is refused for it,
 *     one that is in force already is loaded with a warning
 */
public record PolicyProblem(int line, int column, String message, boolean acceptedBefore) {
  /** A problem for which every release refuses a policy, or a warning. */
  public PolicyProblem(int line, int column, String message) {
    this(line, column, message, false);
  }

  PolicyProblem thatWasAcceptedBefore() {
    return new PolicyProblem(line, column, message, true);
  }

  @Override
  public String toString() {
    return "line " + line + ", column " + column + ": " + message;
  }

  /** A policy that cannot be used, with all that is wrong with it. */
  public static final class PolicyException extends Exception {
    private static final long serialVersionUID = 1;
    private final transient List<PolicyProblem> problems;

    public PolicyException(List<PolicyProblem> problems) {
      super(problems.stream().map(PolicyProblem::toString).collect(Collectors.joining("\n")));
      this.problems = List.copyOf(problems);
    }

    public List<PolicyProblem> problems() {
      return problems;
    }
  }

  /** A value in a policy that cannot be accepted; the loader adds the place. */
  static final class Unacceptable extends Exception {
    private static final long serialVersionUID = 1;

    Unacceptable(String message) {
      super(message, null, false, false);
    }
  }
}
