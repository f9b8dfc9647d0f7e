// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.access;

import java.util.List;
import java.util.Optional;

/** Who makes a request, and what they were granted. */
public record Caller(String name, List<Grant> grants) {
  /** Nobody in particular, who may do nothing. */
  public static final Caller NOBODY = new Caller("", List.of());

  private static final String ADMIN = "admin";

  /** Whoever has the token of the data directory. */
  public static Caller administrator() {
    return new Caller(ADMIN, List.of(new Grant(Role.ADMIN, Grant.ALL, Grant.ALL)));
  }

  public Caller {
    grants = List.copyOf(grants);
  }

  /**
   * Why the caller may not do something, or nothing where they may: the one place where a request
   * is authorized.
   *
   * @param permission what it takes
   * @param scope what it touches
   * @param actor under whose name it is recorded; another's takes the right to name authors there
   */
  public Optional<String> refusal(Permission permission, Scope scope, String actor) {
    if (!may(permission, scope.tenant(), scope.type())) {
      return Optional.of(notGranted(permission, scope));
    }
    if (!actor.equals(name) && !may(Permission.NAME_AUTHORS, scope.tenant(), scope.type())) {
      return Optional.of(notThemselves(name, scope));
    }
    return Optional.empty();
  }

  /** What a caller is told who lacks a permission. */
  public static String notGranted(Permission permission, Scope scope) {
    return "this takes a role that includes \""
        + permission.label()
        + "\" in "
        + scope
        + "; an administrator can grant it";
  }

  /** What a caller is told who acts under another's name without the right to. */
  public static String notThemselves(String name, Scope scope) {
    return name + " acts as themselves in " + scope + "; only a delegate there names another";
  }

  /** Whether the caller may do this with the records of a type. */
  public boolean may(Permission permission, String tenant, String type) {
    return grants.stream().anyMatch(grant -> grant.covers(permission, tenant, type));
  }

  /** The same caller with the grants that matter in a tenant. */
  public Caller within(String tenant) {
    return new Caller(name, grants.stream().filter(grant -> grant.holdsIn(tenant)).toList());
  }

  /** Whether the caller may do this with all of a tenant. */
  public boolean may(Permission permission, String tenant) {
    return may(permission, tenant, Grant.ALL);
  }

  /** Whether the caller may do this with some type of a tenant. */
  public boolean maySomewhere(Permission permission, String tenant) {
    return grants.stream().anyMatch(grant -> grant.covers(permission, tenant, grant.type()));
  }
}
