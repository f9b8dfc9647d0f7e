// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.json;

/** Says that there is no value: a field that is not there, or was removed. */
public final class JsonAbsent implements Json {
  public static final JsonAbsent ABSENT = new JsonAbsent();

  private JsonAbsent() {}

  @Override
  public String toString() {
    return "(absent)";
  }
}
