// SPDX-License-Identifier: Apache-2.0
/**
 * The HTTP surface: routes, authentication, metrics, the dashboard's files. The only place with a
 * web framework, in one class.
 */
@NullMarked
package dev.entente.server;

import org.jspecify.annotations.NullMarked;
