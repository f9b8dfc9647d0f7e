// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

/** The nodes do not agree now; the message says what became of the request and what to do. */
public class UnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public UnavailableException(String message) {
    super(message);
  }

  public UnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}
