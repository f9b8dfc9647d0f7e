// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.access;

import java.util.List;

/** Somebody who may call, whether a person or a program. */
public record Account(String name, List<Grant> grants, boolean disabled) {
  public Account {
    grants = List.copyOf(grants);
  }
}
