// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.access;

import java.util.Locale;
import java.util.Optional;

/** What somebody is for: a set of permissions. All include reading. */
public enum Role {
  READER,
  WRITER,
  /** An application that writes on behalf of its own users. */
  DELEGATE,
  REVIEWER,
  OPERATOR,
  AUDITOR,
  ADMIN;

  boolean includes(Permission permission) {
    return permission == Permission.READ
        || switch (this) {
          case READER -> false;
          case WRITER -> permission == Permission.WRITE;
          case DELEGATE -> permission == Permission.WRITE || permission == Permission.NAME_AUTHORS;
          case REVIEWER -> permission == Permission.REVIEW;
          case OPERATOR -> permission == Permission.OPERATE;
          case AUDITOR -> permission == Permission.AUDIT;
          case ADMIN -> true;
        };
  }

  /** The role as it is written in a grant. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Optional<Role> of(String label) {
    for (Role role : values()) {
      if (role.label().equals(label)) {
        return Optional.of(role);
      }
    }
    return Optional.empty();
  }
}
