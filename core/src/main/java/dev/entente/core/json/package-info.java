// SPDX-License-Identifier: Apache-2.0
/** The JSON values that records hold: immutable, canonical, sorted. Never parses text. */
@NullMarked
package dev.entente.core.json;

import org.jspecify.annotations.NullMarked;
