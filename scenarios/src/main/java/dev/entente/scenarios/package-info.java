// SPDX-License-Identifier: Apache-2.0
/**
 * The reference scenarios as data, and what plays them through a node: for the tests and for the
 * demo.
 */
@NullMarked
package dev.entente.scenarios;

import org.jspecify.annotations.NullMarked;
