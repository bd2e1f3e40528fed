// All that a WebSocket is in a browser: two methods, four events, one state.
const [connect, text, close, log, status] = ['connect', 'text', 'close', 'log', 'status'].map((id) => document.getElementById(id));
const states = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];
let socket;

function note(what) {
	const line = document.createElement('li');
	line.textContent = what; // never innerHTML: what came from elsewhere is text
	log.append(line);
	line.scrollIntoView({ block: 'nearest' });
	const state = socket ? socket.readyState : 3;
	status.textContent = `readyState ${state} (${states[state]})`;
	connect.disabled = state < 3;
	document.getElementById('send').disabled = close.disabled = state !== 1;
}

connect.onclick = () => {
	socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`);
	socket.onopen = () => note('open');
	socket.onmessage = (event) => note(`message: ${event.data}`);
	socket.onerror = () => note('error');
	socket.onclose = (event) => note(`close: code ${event.code}, reason "${event.reason}", clean: ${event.wasClean}`);
	note('connecting');
};

document.forms[0].onsubmit = (event) => {
	event.preventDefault();
	if (socket?.readyState !== 1) return;
	socket.send(text.value);
	note(`sent: ${text.value}`);
};

close.onclick = () => {
	socket.close(1000, 'enough');
	note('closing');
};

note('not connected');
