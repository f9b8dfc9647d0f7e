// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

/**
 * What is asked for lies before the history that is kept. The message says since when it is, and
 * what to do instead.
 */
public final class PrunedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public PrunedException(String message) {
    super(message);
  }
}
