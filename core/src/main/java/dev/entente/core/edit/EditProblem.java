// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.edit;

/** Why an edit cannot be carried out; what the author sent is wrong, not what is stored. */
public final class EditProblem extends Exception {
  private static final long serialVersionUID = 1;

  public EditProblem(String message) {
    super(message, null, false, false);
  }
}
