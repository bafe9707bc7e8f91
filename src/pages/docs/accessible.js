// What keyboards and screen readers need, and Swagger UI lacks.

/** Its components, as they are replaced. */
export const accessible = () => ({
  wrapComponents: {
    // Operations are opened by buttons; a link inside of a button can't be reached.
    DeepLink: (Original, { React }) => (props) => React.createElement(Original, { ...props, enabled: false }),
    TextArea: (Original, { React }) => (props) => React.createElement(Original, { 'aria-label': 'Body of the request', ...props }),
    // A text that scrolls has to take the focus.
    PlainTextViewer: (Original, { React }) => ({ className, children }) =>
      React.createElement('pre', { className: `microlight ${className ?? ''}`, tabIndex: 0 }, children),
  },
});

const textOf = (element) => element?.textContent.trim().replace(/\s+/g, ' ') ?? '';
const operationOf = (element) => {
  const summary = element.closest('.opblock')?.querySelector('.opblock-summary');
  return ['.opblock-summary-method', '.opblock-summary-path'].map((part) => textOf(summary?.querySelector(part))).join(' ');
};

/** What is drawn without a name, or with one that its text contradicts, and the name that it gets. */
const NAMES = [
  ['.copy-to-clipboard > button', () => 'Copy'],
  ['.close-modal', () => 'Close'],
  ['.servers select:not([data-variable]), #servers', () => 'Server'],
  ['.servers [data-variable]', (control) => control.dataset.variable],
  ['tr[data-param-name] select', (select) => select.closest('tr').dataset.paramName],
  ['.examples-select-element', (select) => {
    const status = select.closest('tr.response')?.dataset.code;
    return status ? `Example of ${status}` : 'Example of the body';
  }],
  ['.responses-table[role=region]', (table) => `Answers of ${operationOf(table)}`],
  ['.auth-btn-wrapper .btn[aria-label]', (button) => textOf(button)],
];

/** Headings whose level does not follow from the heading above, and the one that does. */
const LEVELS = [
  ['.info .title', 2],
  ['.auth-container h6', 5],
];

function setOnce(element, attribute, value) {
  if (element.getAttribute(attribute) !== value) element.setAttribute(attribute, value);
}

/** Names what is there, and whatever is drawn later. */
export function nameControls(root) {
  const name = () => {
    for (const [selector, nameOf] of NAMES) {
      for (const element of root.querySelectorAll(selector)) setOnce(element, 'aria-label', nameOf(element));
    }
    for (const [selector, level] of LEVELS) {
      for (const element of root.querySelectorAll(selector)) setOnce(element, 'aria-level', String(level));
    }
  };
  name();
  new MutationObserver(name).observe(root, { childList: true, subtree: true });
}
