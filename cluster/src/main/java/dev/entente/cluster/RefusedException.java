// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import java.io.IOException;

/** Another node refused a request; nothing was done. */
public final class RefusedException extends IOException {
  private static final long serialVersionUID = 1;

  public RefusedException(String message) {
    super(message);
  }
}
