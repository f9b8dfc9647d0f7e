// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.edit;

/** Why an edit cannot be carried out; what the author sent is wrong, not what is stored. */
public final class EditProblem extends Exception {
  private static final long serialVersionUID = 1;
  private final boolean undeclared;

  public EditProblem(String message) {
    this(message, false);
  }

  private EditProblem(String message, boolean undeclared) {
    super(message, null, false, false);
    this.undeclared = undeclared;
  }

  /** An operation on a cell that the policy does not declare as what it takes. */
  static EditProblem undeclared(String message) {
    return new EditProblem(message, true);
  }

  /** True where the target is not declared. */
  public boolean isUndeclared() {
    return undeclared;
  }
}
