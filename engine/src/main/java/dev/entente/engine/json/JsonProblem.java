// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.json;

/** Why a text is not acceptable JSON. */
public final class JsonProblem extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final boolean tooLarge;

  JsonProblem(boolean tooLarge, String message) {
    super(message, null, false, false);
    this.tooLarge = tooLarge;
  }

  /** True where the text may be JSON but exceeds a bound on depth or length. */
  public boolean tooLarge() {
    return tooLarge;
  }
}
